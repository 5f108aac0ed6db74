import { suggest } from "@flotilla/core";
import type { Issues } from "../issue.ts";
import { dropTags, mergeTrees } from "../merge.ts";
import { child, type MapNode, mapNode, type Node, textOf, withChild } from "../tree.ts";
import { type Message, message } from "../message.ts";

type ExtendContext = { load: (file: string) => Promise<MapNode[]>; issues: Issues };

const MAX_CHAIN = 50;

/** Every service of a file with what it extends merged in below it. @param path the file that `document` comes from. */
export async function applyExtends(document: MapNode, path: string, context: ExtendContext): Promise<MapNode> {
  const services = child(document, "services");
  if (services?.kind !== "map") return document;
  if (![...services.entries.values()].some(({ value }) => child(value, "extends") !== undefined)) return document;
  const resolver = new Resolver(context);
  const entries: [string, Node][] = [];
  for (const [name, { value }] of services.entries)
    entries.push([name, await resolver.resolve({ file: path, services, name, node: value }, [])]);
  const keyed = mapNode(entries, services.at, services.tag);
  const withPositions = new Map(
    [...keyed.entries].map(([key, entry]) => [key, { ...entry, keyAt: services.entries.get(key)?.keyAt ?? entry.keyAt }]),
  );
  return withChild(document, "services", { ...keyed, entries: withPositions });
}

type Wanted = { file: string; services: MapNode; name: string; node: Node };

class Resolver {
  readonly #context: ExtendContext;
  readonly #files = new Map<string, Promise<MapNode[]>>();

  constructor(context: ExtendContext) {
    this.#context = context;
  }

  async resolve({ file, services, name, node }: Wanted, chain: readonly string[]): Promise<Node> {
    const reference = child(node, "extends");
    if (node.kind !== "map" || reference === undefined) return node;
    const own = withChild(node, "extends", undefined);
    const step = `${file}#${name}`;
    if (chain.includes(step) || chain.length > MAX_CHAIN) {
      const circle = [...chain.slice(chain.indexOf(step)), step].map((entry) => entry.slice(entry.lastIndexOf("#") + 1));
      return this.#fail(own, { name, at: reference, said: message("extends_cycle", { services: circle.join(" extends ") }) });
    }
    const wanted = textOf(child(reference, "service"));
    if (wanted === undefined) return this.#fail(own, { name, at: reference, said: message("is_missing", { key: "service" }) });
    const otherFile = textOf(child(reference, "file"));
    const found = otherFile === undefined || otherFile === file ? services : await this.#servicesOf(otherFile);
    const base = child(found, wanted);
    if (found === undefined || base === undefined) {
      const said =
        otherFile === undefined
          ? message("extends_nothing", { service: wanted })
          : message("extends_nothing_in", { service: wanted, file: otherFile });
      const near = found === undefined ? undefined : suggest(wanted, [...found.entries.keys()]);
      return this.#fail(own, { name, at: reference, said, near });
    }
    const resolved = await this.resolve({ file: otherFile ?? file, services: found, name: wanted, node: base }, [...chain, step]);
    return mergeTrees(dropTags(resolved), own, "services.*");
  }

  async #servicesOf(file: string): Promise<MapNode | undefined> {
    const documents = await (this.#files.get(file) ?? this.#remember(file));
    const services = documents.map((document) => child(document, "services")).find((node) => node?.kind === "map");
    return services?.kind === "map" ? services : undefined;
  }

  #remember(file: string): Promise<MapNode[]> {
    const loading = this.#context.load(file);
    this.#files.set(file, loading);
    return loading;
  }

  #fail(own: MapNode, { name, at, said, near }: { name: string; at: Node; said: Message; near?: string | undefined }): MapNode {
    this.#context.issues.error(`services.${name}.extends`, said, {
      position: at.at,
      ...(near === undefined ? {} : { suggestion: near }),
    });
    return own;
  }
}
