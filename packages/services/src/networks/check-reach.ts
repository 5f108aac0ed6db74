import { FlotillaError } from "@flotilla/core";
import { listenFacts, type ListenFacts, reachFacts, type ReachFacts, type ReachQuestion } from "@flotilla/protocol";
import { ContainerInspect } from "@flotilla/engine-api";
import { z } from "zod";
import type { Actor } from "../access/actor.ts";
import { authorize } from "../access/authorize.ts";
import { segment } from "../containers/read-containers.ts";
import { containerInput, containerRef } from "../containers/schemas.ts";
import type { ServiceContext } from "../context.ts";
import { type HostBrief, openHost } from "../engine/ask-hosts.ts";
import { engineJson } from "../engine/engine-call.ts";
import { engineObject } from "../engine/object-ref.ts";
import { findHost } from "../hosts/find-host.ts";
import { hostRef } from "../hosts/schemas.ts";
import { readOverlayRows } from "./overlay-rows.ts";
import { explainReach, type ReachTarget, type ReachVerdict } from "./explain-reach.ts";

/** From container `id` of `host` to a container, or to a name or an address that A knows. `port` null: does anything answer there. */
export const reachInput = containerInput.extend({
  to: z.discriminatedUnion("kind", [
    z.object({ kind: z.literal("container"), host: hostRef, id: containerRef }),
    z.object({
      kind: z.literal("address"),
      address: z
        .string()
        .min(1)
        .max(253)
        .regex(/^[a-zA-Z0-9_:][a-zA-Z0-9_.:-]*$/, "must be a name or an address"),
    }),
  ]),
  port: z.int().min(1).max(65_535).nullable().default(null),
  protocol: z.enum(["tcp", "udp"]).default("tcp"),
});
export type ReachInput = z.output<typeof reachInput>;

export type ReachResult = ReachVerdict & {
  from: { host: HostBrief; container: string };
  /** What was tried in the end; null: no address was found. */
  address: string | null;
  protocol: "tcp" | "udp";
  port: number | null;
};

/** `isRunning` null: its host is not connected, this is what it said last. `networks`: its addresses by id of the network. */
type Peer = { host: HostBrief; id: string; name: string; isRunning: boolean | null; networks: Map<string, string[]> };

/** Both hosts look, each from its side; nothing is run in a container. @throws not_found, unavailable, conflict when A does not run. */
export async function checkReach(services: ServiceContext, actor: Actor, input: ReachInput): Promise<ReachResult> {
  const { to, port, protocol } = input;
  if (to.kind === "container") {
    const object = await engineObject(services, actor, { kind: "container", host: to.host, id: to.id });
    await authorize(services, actor, { action: "container.probe", object });
  }
  const from = await describePeer(services, actor, input);
  if (from.isRunning !== true) throw new FlotillaError("conflict", `container ${from.name} is not running`);
  const other = to.kind === "container" ? await describeOther(services, actor, to) : undefined;
  const facts = await look(services, actor, { input, from, other });
  const target = other === undefined ? ({ kind: "address" } as const) : await lookAt(services, actor, { input, from, other, facts });
  const remoteHost = await nameOfNumber(services, actor, facts.remote?.host);
  const brief = { host: from.host, container: from.name };
  return { ...explainReach({ facts, target, port, remoteHost }), from: brief, address: facts.address, protocol, port };
}

type Scene = { input: ReachInput; from: Peer; other: Peer | undefined };

/** As A's own programs do it: by name. What does not resolve is looked for by address, so that the other hops are seen too. */
async function look(services: ServiceContext, actor: Actor, { input, from, other }: Scene): Promise<ReachFacts> {
  const { to, port, protocol } = input;
  const ask = (target: string): Promise<ReachFacts> => askReach(services, actor, { from, question: { target, port, protocol } });
  if (to.kind === "address") return ask(to.address);
  const common = other === undefined ? [] : shared(from, other);
  const addresses = [...common, ...(other === undefined ? [] : [...other.networks.values()].flat())];
  const [first] = addresses;
  // Who is on no network of A's has no name there.
  if (common.length === 0 && first !== undefined) return ask(first);
  const byName = await ask(other?.name ?? to.id);
  if (first === undefined || byName.name.addresses.some((address) => addresses.includes(address))) return byName;
  return { ...(await ask(first)), name: byName.name };
}

async function lookAt(services: ServiceContext, actor: Actor, scene: Scene & { other: Peer; facts: ReachFacts }): Promise<ReachTarget> {
  const { input, from, other, facts } = scene;
  const addresses = shared(from, other);
  const others = [...other.networks.values()].flat().filter((address) => !addresses.includes(address));
  const base = { kind: "container", name: other.name, addresses, others } as const;
  if (other.isRunning !== true || facts.address === null) return { ...base, isRunning: other.isRunning, listen: null };
  try {
    const { link, namespace } = await openHost(services, actor, other.host.id);
    const body = { address: facts.address, port: input.port, protocol: input.protocol };
    const path = `/flotilla/v1/containers/${segment(other.id)}/listens`;
    const listen: ListenFacts = await engineJson(link, { namespace, method: "POST", path, body }, listenFacts);
    return { ...base, isRunning: true, listen };
  } catch {
    // Its host was there a moment ago: what A sees is still worth telling.
    return { ...base, isRunning: null, listen: null };
  }
}

async function askReach(services: ServiceContext, actor: Actor, asked: { from: Peer; question: ReachQuestion }): Promise<ReachFacts> {
  const { from, question } = asked;
  const { link, namespace } = await openHost(services, actor, from.host.id);
  const path = `/flotilla/v1/containers/${segment(from.id)}/reach`;
  return engineJson(link, { namespace, method: "POST", path, body: question }, reachFacts);
}

/** B, also when its host is away: whether its host is reached is the very question. @throws not_found. */
async function describeOther(services: ServiceContext, actor: Actor, ref: { host: string; id: string }): Promise<Peer> {
  const host = await findHost(services, actor, ref.host);
  if (services.links.state(host.id).isOnline) return describePeer(services, actor, ref);
  const rows = await services.prisma.$transaction((tx) => readOverlayRows(tx, host.seenBy));
  const found = [...rows.observed].flatMap(([networkId, byHost]) =>
    (byHost.get(host.id)?.endpoints ?? []).flatMap((endpoint) => (isNamed(endpoint, ref.id) ? [{ networkId, endpoint }] : [])),
  );
  const [first] = found;
  if (first === undefined)
    throw new FlotillaError("unavailable", `host ${host.name} is not connected, and has told of no container ${ref.id} on a network`);
  const networks = new Map<string, string[]>(
    found.map(({ networkId, endpoint: { address, address6 } }) => [networkId, address6 === null ? [address] : [address, address6]]),
  );
  const { containerId, containerName } = first.endpoint;
  return { host: { id: host.id, name: host.name }, id: containerId, name: containerName, isRunning: null, networks };
}

function isNamed({ containerId, containerName }: { containerId: string; containerName: string }, ref: string): boolean {
  const wanted = ref.replace(/^\//, "");
  return containerName === wanted || (wanted.length >= 12 && containerId.startsWith(wanted));
}

async function describePeer(services: ServiceContext, actor: Actor, ref: { host: string; id: string }): Promise<Peer> {
  const { link, namespace, brief } = await openHost(services, actor, ref.host);
  const path = `/containers/${segment(ref.id)}/json`;
  const found = await engineJson(link, { namespace, method: "GET", path }, ContainerInspect);
  const networks = Object.values(found.NetworkSettings.Networks).map(({ NetworkID: id, IPAddress, GlobalIPv6Address }) => {
    return [id, [IPAddress, GlobalIPv6Address].filter((address) => address !== "")] as const;
  });
  return { host: brief, id: found.Id, name: found.Name.replace(/^\//, ""), isRunning: found.State.Running, networks: new Map(networks) };
}

/** B's addresses on networks that A is on too. */
function shared(from: Peer, other: Peer): string[] {
  // The default bridge of two hosts is two networks with ids of their own.
  return [...other.networks].flatMap(([id, addresses]) => (from.networks.has(id) ? addresses : []));
}

async function nameOfNumber(services: ServiceContext, actor: Actor, number: number | undefined): Promise<string | null> {
  if (number === undefined || actor.kind !== "user") return null;
  const found = await services.prisma.host.findFirst({ where: { number, teamId: actor.team.id }, select: { name: true } });
  return found?.name ?? null;
}
