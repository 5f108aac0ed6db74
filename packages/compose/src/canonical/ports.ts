import { listNode, mapNode, type Node, scalarNode, textOf } from "../tree.ts";
import type { Canonical } from "./values.ts";
import { type Message, message } from "../message.ts";

/** `[[ip:][published]:]target[/protocol]`, each port a number or a range. */
const SHORT = /^(?:(?:(\[[0-9a-fA-F:.]+\]|[0-9.]+):)?([\d-]*):)?(\d[\d-]*)(?:\/(\w+))?$/;
const RANGE = /^(\d+)(?:-(\d+))?$/;

type Range = { first: number; last: number };

/** Short forms as long ones; a range of targets as one port each. */
export const portList: Canonical = (node, path, scope) => {
  if (node.kind !== "list") return node;
  const items = node.items.flatMap((item, at): Node[] => {
    const result = item.kind === "scalar" ? shortPort(item) : longPort(item);
    if (Array.isArray(result)) return result;
    scope.issues.error(`${path}.${at}`, result, { position: item.at });
    return [];
  });
  return listNode(items, node.at, node.tag);
};

function shortPort(item: Node): Node[] | Message {
  const text = textOf(item) ?? "";
  const [, hostIp, publishedText, targetText = "", protocol] = SHORT.exec(text) ?? [];
  const target = parseRange(targetText);
  const published = publishedText === undefined || publishedText === "" ? undefined : parseRange(publishedText);
  if (target === undefined || (publishedText !== undefined && publishedText !== "" && published === undefined)) return invalid(text);
  const ip = hostIp?.replace(/[[\]]/g, "");
  return spread({ target, published }, { text, item, more: { host_ip: ip, protocol } });
}

/** `target` of the long form may be a range too. */
function longPort(item: Node): Node[] | Message {
  if (item.kind !== "map") return message("must_be_port");
  return [item];
}

type Spread = { text: string; item: Node; more: Readonly<Record<string, string | undefined>> };

function spread({ target, published }: { target: Range; published: Range | undefined }, { text, item, more }: Spread): Node[] | Message {
  const count = target.last - target.first + 1;
  const publishedCount = published === undefined ? count : published.last - published.first + 1;
  if (count > 1 && publishedCount !== count) return message("invalid_port_ranges", { text });
  return Array.from({ length: count }, (_, offset) => {
    const entries: [string, Node][] = [["target", scalarNode(target.first + offset, item.at)]];
    if (published !== undefined) entries.push(["published", scalarNode(publishedAt(published, { offset, isOne: count === 1 }), item.at)]);
    for (const [key, value] of Object.entries(more)) if (value !== undefined) entries.push([key, scalarNode(value, item.at)]);
    return mapNode(entries, item.at);
  });
}

/** One port for a range of host ports: the engine takes a free one of it. */
function publishedAt(range: Range, { offset, isOne }: { offset: number; isOne: boolean }): string {
  if (isOne && range.last > range.first) return `${range.first}-${range.last}`;
  return String(range.first + offset);
}

/** `80`, `8000-8010`; undefined when it is none or no port. */
export function parseRange(text: string): Range | undefined {
  const [, first, last] = RANGE.exec(text) ?? [];
  if (first === undefined) return undefined;
  const range = { first: Number(first), last: Number(last ?? first) };
  return range.first > 65_535 || range.last > 65_535 || range.last < range.first ? undefined : range;
}

const invalid = (text: string): Message => message("invalid_port", { text });
