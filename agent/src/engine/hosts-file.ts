// Files that tell a container about its networks. They are written in place: each is bind-mounted, a new one in its stead
// would not be seen.
import { readFileSync, writeFileSync } from "node:fs";
import { containerPaths, type EngineContext } from "./context.ts";
import { findLinkers, findLiveLinks, linkNames } from "./links.ts";
import { formatHosts, formatResolvConf } from "./network-files.ts";
import type { ContainerRecord, RecordedAttachment } from "./record.ts";

/** Writes a container's /etc/hosts. */
export function writeHosts(context: EngineContext, record: ContainerRecord, attachment: RecordedAttachment | null): void {
  const { hostConfig, config } = record;
  const endpoints = attachment?.endpoints ?? [];
  const text = formatHosts({
    hostname: config.Hostname,
    domainname: config.Domainname,
    addresses: endpoints.flatMap(({ ipv4Address, ipv6Address }) => [ipv4Address, ...(ipv6Address === "" ? [] : [ipv6Address])]),
    extraHosts: hostConfig.ExtraHosts ?? [],
    links: findLiveLinks(context, record).map((link) => ({ address: link.address, names: linkNames(link) })),
    gateway: endpoints[0]?.gateway ?? (hostConfig.NetworkMode === "host" ? "127.0.0.1" : undefined),
  });
  writeFileSync(containerPaths(context.config, record.id).hostsPath, text);
}

/** Running containers that link to this one are told its new address. */
export function tellLinkers(context: EngineContext, id: string): void {
  for (const linker of findLinkers(context, id)) writeHosts(context, linker, linker.attachment);
}

/** Writes a container's /etc/resolv.conf. */
export function writeResolvConf(context: EngineContext, record: ContainerRecord, attachment: RecordedAttachment | null): void {
  writeFileSync(containerPaths(context.config, record.id).resolvConfPath, resolvConfFor(context, record, attachment));
}

/** After a change of networks: hosts anew, and resolv.conf unless somebody in the container has changed it meanwhile. */
export function rewriteNetworkFiles(context: EngineContext, record: ContainerRecord, before: RecordedAttachment): void {
  writeHosts(context, record, record.attachment);
  const { resolvConfPath } = containerPaths(context.config, record.id);
  if (readFileSync(resolvConfPath, "utf8") === resolvConfFor(context, record, before)) writeResolvConf(context, record, record.attachment);
}

/** On the host's network the host's own file is right, loopback resolvers included. */
function resolvConfFor(context: EngineContext, record: ContainerRecord, attachment: RecordedAttachment | null): string {
  const { hostConfig } = record;
  const hasOwn = [hostConfig.Dns, hostConfig.DnsSearch, hostConfig.DnsOptions].some((list) => list !== null && list.length > 0);
  if (hostConfig.NetworkMode === "host" && !hasOwn) {
    try {
      return readFileSync("/etc/resolv.conf", "utf8");
    } catch {
      return "";
    }
  }
  const hasNames = attachment?.endpoints.some((endpoint) => endpoint.hasNames) ?? false;
  return formatResolvConf(context.networks.hostResolvConf(), hostConfig, { hasNames });
}
