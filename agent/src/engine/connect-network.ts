import { FlotillaError } from "@flotilla/core";
import { noSuchContainer } from "./container-store.ts";
import type { EngineContext } from "./context.ts";
import { rewriteNetworkFiles } from "./hosts-file.ts";
import type { EndpointRequest } from "./ports.ts";
import { type ContainerRecord, isAlive } from "./record.ts";

/** One more network for a container, now when it runs and at each later start. @throws forbidden, invalid. */
export async function connectNetwork(context: EngineContext, id: string, request: EndpointRequest): Promise<void> {
  await withRecord(context, id, async (record) => {
    assertConnectable(record);
    if (record.endpoints.some((endpoint) => endpoint.networkName === request.networkName)) {
      throw new FlotillaError("forbidden", `endpoint with name ${record.name} already exists in network ${request.networkName}`);
    }
    const endpoints = [...record.endpoints, request];
    if (!isAlive(record) || record.attachment === null || context.networks.connect === undefined) {
      context.store.update(id, { endpoints });
      return;
    }
    const endpoint = await context.networks.connect(id, request);
    const attachment = { ...record.attachment, endpoints: [...record.attachment.endpoints, endpoint] };
    rewriteNetworkFiles(context, context.store.update(id, { endpoints, attachment }), record.attachment);
  });
}

/** Takes a container off a network, now and for later starts. @throws not_found when it is not on it. */
export async function disconnectNetwork(context: EngineContext, id: string, networkName: string): Promise<void> {
  await withRecord(context, id, async (record) => {
    if (record.hostConfig.NetworkMode === "host") {
      throw new FlotillaError("invalid", "container cannot be disconnected from host network or connected to host network");
    }
    if (!record.endpoints.some((endpoint) => endpoint.networkName === networkName)) {
      throw new FlotillaError("not_found", `container ${record.id} is not connected to network ${networkName}`);
    }
    const endpoints = record.endpoints.filter((endpoint) => endpoint.networkName !== networkName);
    const live = record.attachment?.endpoints.find((endpoint) => endpoint.networkName === networkName);
    if (!isAlive(record) || record.attachment === null || live === undefined) {
      context.store.update(id, { endpoints });
      return;
    }
    await context.networks.disconnect?.(id, live.networkId);
    const left = record.attachment.endpoints.filter((endpoint) => endpoint !== live);
    const attachment = { ...record.attachment, endpoints: left };
    rewriteNetworkFiles(context, context.store.update(id, { endpoints, attachment }), record.attachment);
  });
}

function assertConnectable(record: ContainerRecord): void {
  const mode = record.hostConfig.NetworkMode;
  if (mode === "host" || mode.startsWith("container:")) {
    throw new FlotillaError(
      "invalid",
      "container sharing network namespace with another container or host cannot be connected to any other network",
    );
  }
  if (mode === "none") {
    throw new FlotillaError(
      "invalid",
      "container cannot be connected to multiple networks with one of the networks in private (none) mode",
    );
  }
}

async function withRecord(context: EngineContext, id: string, work: (record: ContainerRecord) => Promise<void>): Promise<void> {
  await context.locks.run(id, async () => {
    const record = context.store.byId(id);
    if (record === undefined) throw noSuchContainer(id);
    await work(record);
  });
}
