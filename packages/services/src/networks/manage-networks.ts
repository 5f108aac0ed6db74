import { networkName, networkRequest } from "@flotilla/protocol";
import { z } from "zod";
import type { Actor } from "../access/actor.ts";
import { requireUser } from "../access/authorize.ts";
import type { ObjectRef } from "../access/can.ts";
import { audited } from "../audit/record.ts";
import { containerRef } from "../containers/schemas.ts";
import type { ServiceContext } from "../context.ts";
import { openHost } from "../engine/ask-hosts.ts";
import { engineDo, engineJson } from "../engine/engine-call.ts";
import { engineObject } from "../engine/object-ref.ts";
import { hostRef } from "../hosts/schemas.ts";
import { type CreatedOverlay, createOverlay, overlayObject } from "./create-overlay.ts";
import { findOverlay, removeOverlay } from "./remove-overlay.ts";

const MTU_OPTION = "com.docker.network.driver.mtu";

/** A network by name or id; with `host`, one of that host alone. */
export const networkInput = z.object({ network: z.string().min(1).max(255), host: hostRef.optional() });
/** Without `host` it spans the team's hosts. */
export const newNetwork = networkRequest.extend({
  name: networkName,
  host: hostRef.optional(),
  mtuBytes: z.int().min(1_280).max(65_535).nullable().default(null),
});
export const membership = z.object({
  host: hostRef,
  network: z.string().min(1).max(255),
  container: containerRef,
  address: z.union([z.literal(""), z.ipv4()]).default(""),
  aliases: z.array(networkName).max(64).default([]),
});

export type NetworkInput = z.output<typeof networkInput>;
export type NewNetwork = z.output<typeof newNetwork>;
export type Membership = z.output<typeof membership>;

const created = z.looseObject({ Id: z.string(), Warning: z.string().nullish() });

/** What an act on a network is about. @throws not_found. */
export async function networkObject(services: ServiceContext, actor: Actor, input: NetworkInput): Promise<ObjectRef> {
  if (input.host !== undefined) return engineObject(services, actor, { kind: "network", host: input.host, id: input.network });
  return overlayObject(await findOverlay(services.prisma, requireUser(actor).team.id, input.network));
}

export async function createNetwork(services: ServiceContext, actor: Actor, input: NewNetwork): Promise<CreatedOverlay> {
  const { host, mtuBytes, ...request } = input;
  const options = mtuBytes === null ? request.options : { ...request.options, [MTU_OPTION]: String(mtuBytes) };
  if (host === undefined) return createOverlay(services, actor, { teamId: requireUser(actor).team.id, request: { ...request, options } });
  const { link, namespace, host: row } = await openHost(services, actor, host);
  const object: ObjectRef = { kind: "network", id: request.name, name: `${row.name}/${request.name}`, teamId: row.seenBy };
  const body = toCreateBody({ ...input, options });
  const made = await audited(services, { actor, action: "network.change", object, detail: { verb: "create", driver: "bridge" } }, () =>
    engineJson(link, { namespace, method: "POST", path: "/networks/create", body }, created),
  );
  return { id: made.Id, warnings: made.Warning == null || made.Warning === "" ? [] : [made.Warning] };
}

function toCreateBody(input: NewNetwork): object {
  const { name, subnet, gateway, addressRange, isInternal, labels, options } = input;
  const config = { Subnet: subnet, Gateway: gateway, IPRange: addressRange };
  const hasConfig = Object.values(config).some((value) => value !== "");
  return {
    Name: name,
    Driver: "bridge",
    Internal: isInternal,
    EnableIPv6: input.hasIpv6,
    Labels: labels,
    Options: options,
    IPAM: { Driver: "default", Config: hasConfig ? [config] : [] },
  };
}

export async function removeNetwork(services: ServiceContext, actor: Actor, input: NetworkInput): Promise<void> {
  if (input.host === undefined) return removeOverlay(services, actor, { teamId: requireUser(actor).team.id, network: input.network });
  const { link, namespace } = await openHost(services, actor, input.host);
  const object = await networkObject(services, actor, input);
  const path = `/networks/${encodeURIComponent(input.network)}`;
  await audited(services, { actor, action: "network.remove", object }, () => engineDo(link, { namespace, method: "DELETE", path }));
}

/** Puts a container of a host on a network that the host has, of its own or of the team. */
export async function connectNetwork(services: ServiceContext, actor: Actor, input: Membership): Promise<void> {
  const { address, aliases, container: Container } = input;
  const EndpointConfig = { Aliases: aliases, ...(address === "" ? {} : { IPAMConfig: { IPv4Address: address } }) };
  await change(services, actor, { input, verb: "connect", body: { Container, EndpointConfig } });
}

export async function disconnectNetwork(services: ServiceContext, actor: Actor, input: Membership): Promise<void> {
  await change(services, actor, { input, verb: "disconnect", body: { Container: input.container, Force: false } });
}

type Change = { input: Membership; verb: "connect" | "disconnect"; body: object };

async function change(services: ServiceContext, actor: Actor, { input, verb, body }: Change): Promise<void> {
  const { host, network, container } = input;
  const { link, namespace } = await openHost(services, actor, host);
  const object = await networkObject(services, actor, { network, host });
  const path = `/networks/${encodeURIComponent(network)}/${verb}`;
  await audited(services, { actor, action: "network.change", object, detail: { verb, container } }, () =>
    engineDo(link, { namespace, method: "POST", path, body }),
  );
}
