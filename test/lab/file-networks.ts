// Overlay networks that a test writes into a file, composed into the hosts' desired state by the lab's control plane: the
// whole way from Postgres' notification to the kernel, without the control plane's own idea of networks.
import { existsSync, readFileSync, watchFile, unwatchFile } from "node:fs";
import { NETWORK_KIND, NETWORK_SERVICE_KIND, networkService, networkState, serviceResourceId } from "@flotilla/protocol";
import { type HostComposer, notifyHostState, type ServiceContext } from "@flotilla/services";
import { z } from "zod";

const POLL_MS = 50;

/** Networks without `self`, their services, and the number of each host by its name. */
export const FileNetworks = z.object({
  numbers: z.record(z.string(), z.int()),
  networks: z.array(networkState.omit({ self: true })),
  services: z.array(networkService).default([]),
});
export type FileNetworks = z.input<typeof FileNetworks>;

type HostNetworks = Pick<z.output<typeof FileNetworks>, "networks" | "services"> & { self: number };

function readNetworks(file: string, hostName: string): HostNetworks | undefined {
  if (!existsSync(file)) return undefined;
  const { numbers, networks, services } = FileNetworks.parse(JSON.parse(readFileSync(file, "utf8")));
  const self = numbers[hostName];
  if (self === undefined) return undefined;
  return { self, services, networks: networks.filter((network) => network.hosts.some(({ number }) => number === self)) };
}

export function fileComposers(file: string): HostComposer[] {
  return [
    {
      kind: NETWORK_KIND,
      compose: async ({ host }) => {
        const read = readNetworks(file, host.name);
        return new Map(read?.networks.map((network) => [network.id, { ...network, self: read.self }]));
      },
    },
    {
      kind: NETWORK_SERVICE_KIND,
      compose: async ({ host }) => {
        const read = readNetworks(file, host.name);
        const here = new Set(read?.networks.map(({ id }) => id));
        return new Map(
          read?.services.filter(({ networkId }) => here.has(networkId)).map((service) => [serviceResourceId(service), service]),
        );
      },
    },
  ];
}

/** Tells the control plane of changes of the file. Returns a function that stops it. */
export function watchNetworks(file: string, services: ServiceContext): () => void {
  const tell = (): void => void services.prisma.$transaction((tx) => notifyHostState(tx, "all")).catch(() => undefined);
  watchFile(file, { interval: POLL_MS }, tell);
  return () => unwatchFile(file, tell);
}
