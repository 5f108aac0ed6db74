// Overlay networks that a test writes into a file, composed into the hosts' desired state by the lab's control plane: the
// whole way from Postgres' notification to the kernel, without the control plane's own idea of networks.
import { existsSync, readFileSync, watchFile, unwatchFile } from "node:fs";
import { networkState } from "@flotilla/protocol";
import { type HostComposer, notifyHostState, type ServiceContext } from "@flotilla/services";
import { z } from "zod";

const POLL_MS = 50;

/** Networks without `self`, and the number of each host by its name. */
export const FileNetworks = z.object({
  numbers: z.record(z.string(), z.int()),
  networks: z.array(networkState.omit({ self: true })),
});
export type FileNetworks = z.output<typeof FileNetworks>;

function readNetworks(file: string): FileNetworks {
  return existsSync(file) ? FileNetworks.parse(JSON.parse(readFileSync(file, "utf8"))) : { numbers: {}, networks: [] };
}

export function fileComposer(file: string): HostComposer {
  return {
    kind: "network",
    compose: async ({ host }) => {
      const { numbers, networks } = readNetworks(file);
      const self = numbers[host.name];
      if (self === undefined) return new Map();
      const own = networks.filter((network) => network.hosts.some(({ number }) => number === self));
      return new Map(own.map((network) => [network.id, { ...network, self }]));
    },
  };
}

/** Tells the control plane of changes of the file. Returns a function that stops it. */
export function watchNetworks(file: string, services: ServiceContext): () => void {
  const tell = (): void => void services.prisma.$transaction((tx) => notifyHostState(tx, "all")).catch(() => undefined);
  watchFile(file, { interval: POLL_MS }, tell);
  return () => unwatchFile(file, tell);
}
