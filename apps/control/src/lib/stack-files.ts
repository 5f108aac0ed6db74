/** The files of a stack, by relative path. */
export type StackFiles = Readonly<Record<string, string>>;

export const FIRST_FILE = "compose.yaml";

const NAMES = ["compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"];

/** Which of the files are compose files: the one with a usual name and its override; else the first that is YAML. */
export function composeFiles(files: StackFiles): string[] {
  const names = Object.keys(files);
  const main = NAMES.find((name) => names.includes(name));
  if (main === undefined) {
    const first = names.find((name) => /\.ya?ml$/.test(name));
    return first === undefined ? [] : [first];
  }
  const base = main.replace(/\.ya?ml$/, "");
  return [main, ...names.filter((name) => name === `${base}.override.yaml` || name === `${base}.override.yml`)];
}

/** Compose files first, then by name. */
export function orderFiles(files: StackFiles): string[] {
  const first = composeFiles(files);
  return [
    ...first,
    ...Object.keys(files)
      .filter((name) => !first.includes(name))
      .toSorted(),
  ];
}

/** Why a name cannot be a file's; null when it can. */
export function fileNameProblem(name: string, files: StackFiles): "empty" | "invalid" | "taken" | null {
  if (name === "") return "empty";
  if (name.startsWith("/") || name.split("/").some((part) => part === ".." || part === "." || part === "")) return "invalid";
  return Object.hasOwn(files, name) ? "taken" : null;
}

export const STACK_NAME = /^[a-z0-9][a-z0-9_-]{0,62}$/;

/** The name that the file gives itself, for a stack that has none yet. */
export function nameInFile(text: string): string | null {
  const name = /^name:\s*["']?([a-z0-9][a-z0-9_-]{0,62})["']?\s*(#.*)?$/m.exec(text)?.[1];
  return name ?? null;
}
