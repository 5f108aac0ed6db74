import { child, listNode, mapNode, type Node, scalarNode, textOf, withChild } from "../tree.ts";
import { type Canonical, resolvePath, type Scope } from "./values.ts";
import { type Message, message } from "../message.ts";

const PROPAGATION = new Set(["rprivate", "private", "rshared", "shared", "rslave", "slave"]);
/** Hints for Docker Desktop and defaults: nothing to do here. */
const IGNORED = new Set(["rw", "cached", "delegated", "consistent", "copy"]);

/** `[SOURCE:]TARGET[:MODE]` as a mapping; relative sources of binds become absolute. */
export const volumeList: Canonical = (node, path, scope) => {
  if (node.kind !== "list") return node;
  const items = node.items.flatMap((item, at): Node[] => {
    if (item.kind === "map") return [longMount(item, scope)];
    const mount = shortMount(item, scope);
    if (!("code" in mount)) return [mount];
    scope.issues.error(`${path}.${at}`, mount, { position: item.at });
    return [];
  });
  return listNode(items, node.at, node.tag);
};

function longMount(item: Node, scope: Scope): Node {
  const source = child(item, "source");
  if (item.kind !== "map" || source === undefined || textOf(child(item, "type")) !== "bind") return item;
  return withChild(item, "source", scalarNode(resolvePath(textOf(source) ?? "", scope), source.at));
}

function shortMount(item: Node, scope: Scope): Node | Message {
  const text = textOf(item) ?? "";
  const parts = text.split(":");
  if (text === "" || parts.length > 3 || parts.includes("")) return message("invalid_volume", { text });
  const [first = "", target, mode] = parts;
  const at = item.at;
  const scalar = (value: string | boolean): Node => scalarNode(value, at);
  if (target === undefined)
    return mapNode(
      [
        ["type", scalar("volume")],
        ["target", scalar(first)],
      ],
      at,
    );
  const isBind = /^[./~]/.test(first);
  const source = isBind ? resolvePath(first, scope) : first;
  const base: [string, Node][] = [
    ["type", scalar(isBind ? "bind" : "volume")],
    ["source", scalar(source)],
    ["target", scalar(target)],
  ];
  const options = modeOptions(mode?.split(",") ?? [], { isBind, scalar });
  if (typeof options === "string") return message("invalid_volume_mode", { text, mode: options });
  // The short form makes the directory that is missing; the long form does so only where it says it.
  const bind: [string, Node][] = isBind ? [["create_host_path", scalar(true)], ...options.bind] : options.bind;
  if (bind.length > 0) base.push(["bind", mapNode(bind, at)]);
  if (options.volume.length > 0) base.push(["volume", mapNode(options.volume, at)]);
  return mapNode([...base, ...options.own], at);
}

type Options = { own: [string, Node][]; bind: [string, Node][]; volume: [string, Node][] };

function modeOptions(
  modes: readonly string[],
  { isBind, scalar }: { isBind: boolean; scalar: (value: string | boolean) => Node },
): Options | string {
  const options: Options = { own: [], bind: [], volume: [] };
  for (const mode of modes) {
    if (mode === "ro") options.own.push(["read_only", scalar(true)]);
    else if (mode === "nocopy" && !isBind) options.volume.push(["nocopy", scalar(true)]);
    else if ((mode === "z" || mode === "Z") && isBind) options.bind.push(["selinux", scalar(mode)]);
    else if (PROPAGATION.has(mode) && isBind) options.bind.push(["propagation", scalar(mode)]);
    else if (!IGNORED.has(mode) && mode.toLowerCase() !== "z") return mode;
  }
  return options;
}

/** `SOURCE[:TARGET[:PERMISSIONS]]` as a mapping. */
export const deviceList: Canonical = (node, path, scope) => {
  if (node.kind !== "list") return node;
  const items = node.items.flatMap((item, at): Node[] => {
    if (item.kind === "map") return [item];
    const [source = "", target, permissions, ...rest] = (textOf(item) ?? "").split(":");
    if (source === "" || rest.length > 0) {
      scope.issues.error(`${path}.${at}`, message("invalid_device", { text: textOf(item) ?? "" }), {
        position: item.at,
      });
      return [];
    }
    const entries: [string, Node][] = [
      ["source", scalarNode(source, item.at)],
      ["target", scalarNode(target ?? source, item.at)],
    ];
    if (permissions !== undefined) entries.push(["permissions", scalarNode(permissions, item.at)]);
    return [mapNode(entries, item.at)];
  });
  return listNode(items, node.at, node.tag);
};
