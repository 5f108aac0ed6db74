import compile from "icu-minify/compile";

type Tree = { [key: string]: string | Tree };

/**
 * A catalogue whose ICU texts are parsed already: the page gets what is left to format, and no parser. Done once on the server; the shape
 * is that of the catalogue, so its type stays.
 */
export function compileMessages<T extends Tree>(messages: T): T {
  // The compiler makes objects without a prototype, which cannot be handed from a server's page to the browser's.
  return JSON.parse(JSON.stringify(compileTree(messages))) as T;
}

function compileTree(tree: Tree): unknown {
  return Object.fromEntries(
    Object.entries(tree).map(([key, value]) => [key, typeof value === "string" ? compile(value) : compileTree(value)]),
  );
}
