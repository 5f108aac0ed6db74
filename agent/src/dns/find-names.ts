// What a container's own networks say to a question. Pure.
import { isIPv4, isIPv6 } from "node:net";
import { canonicalIp } from "../host/ip-bytes.ts";
import type { ContainerView, NetworkIndex } from "./resolver-index.ts";

export type Question = { name: string; type: string };

/** `answer` with no data is NODATA: the name is there, what was asked of it is not. */
export type Finding = { kind: "answer"; data: readonly string[] } | { kind: "elsewhere" };

const ELSEWHERE: Finding = { kind: "elsewhere" };

/** Links first, then each network in turn: the first that knows the name answers, so that an address is never of another. */
export function findNames(view: ContainerView, question: Question): Finding {
  const name = question.name.toLowerCase().replace(/\.$/, "");
  if (question.type === "PTR") return findReverse(view, name);
  const addresses = findAddresses(view, name);
  if (addresses === undefined) return ELSEWHERE;
  if (question.type === "A") return { kind: "answer", data: addresses.filter(isIPv4Address) };
  if (question.type === "AAAA") return { kind: "answer", data: addresses.filter(isIPv6Address) };
  return { kind: "answer", data: [] };
}

const isIPv4Address = (address: string): boolean => isIPv4(address);
const isIPv6Address = (address: string): boolean => isIPv6(address);

function findAddresses(view: ContainerView, name: string): readonly string[] | undefined {
  const linked = view.findLink(name);
  if (linked !== undefined) return linked;
  for (const network of view.networks) {
    const found = network.addresses(name) ?? findQualified(network, name);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** `web.app` on the network `app`. */
function findQualified(network: NetworkIndex, name: string): readonly string[] | undefined {
  const suffix = `.${network.name}`;
  return name.endsWith(suffix) ? network.addresses(name.slice(0, -suffix.length)) : undefined;
}

function findReverse(view: ContainerView, name: string): Finding {
  const address = parseReverseName(name);
  if (address === undefined) return ELSEWHERE;
  for (const network of view.networks) {
    const names = network.names(address);
    if (names !== undefined) return { kind: "answer", data: names.map((own) => `${own}.${network.name}`) };
  }
  return ELSEWHERE;
}

/** The address of `2.0.18.172.in-addr.arpa` or of an `ip6.arpa` name with all its 32 digits. */
export function parseReverseName(name: string): string | undefined {
  if (name.endsWith(".in-addr.arpa")) {
    const address = name.slice(0, -".in-addr.arpa".length).split(".").reverse().join(".");
    return isIPv4(address) ? address : undefined;
  }
  const digits = /^((?:[0-9a-f]\.){32})ip6\.arpa$/.exec(name)?.[1]?.replaceAll(".", "");
  if (digits === undefined) return undefined;
  const groups = digits.split("").reverse().join("").match(/.{4}/g) ?? [];
  return canonicalIp(groups.join(":"));
}
