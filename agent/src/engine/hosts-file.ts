import { writeFileSync } from "node:fs";
import { toFlotillaError } from "@flotilla/core";
import { containerPaths, type EngineContext } from "./context.ts";
import { formatHosts } from "./network-files.ts";
import type { ContainerRecord, RecordedAttachment } from "./record.ts";

/** Writes a container's /etc/hosts in place: the file is bind-mounted, a new one in its stead would not be seen. */
export function writeHosts(context: EngineContext, record: ContainerRecord, attachment: RecordedAttachment | null): void {
  const { hostConfig, config } = record;
  const endpoints = attachment?.endpoints ?? [];
  const text = formatHosts({
    hostname: config.Hostname,
    domainname: config.Domainname,
    addresses: endpoints.map((endpoint) => endpoint.ipv4Address),
    extraHosts: hostConfig.ExtraHosts ?? [],
    gateway: endpoints[0]?.gateway ?? (hostConfig.NetworkMode === "host" ? "127.0.0.1" : undefined),
    peers: context.peers.get(record.id) ?? [],
  });
  writeFileSync(containerPaths(context.config, record.id).hostsPath, text);
}

/** Keeps the hosts files of running containers in step with who is on their user-defined networks. */
export function watchPeers(context: EngineContext): void {
  context.networks.onPeersChanged?.(({ containerId, entries }) => {
    context.peers.set(containerId, entries);
    const record = context.store.byId(containerId);
    // While it starts its file is not written yet: prepareStart() does, with these entries.
    if (record === undefined || record.attachment === null) return;
    try {
      writeHosts(context, record, record.attachment);
    } catch (error) {
      context.logger.error("a hosts file could not be written", { containerId, error: toFlotillaError(error).message });
    }
  });
}
