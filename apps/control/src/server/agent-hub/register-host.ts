import { timingSafeEqual } from "node:crypto";
import { type Host, type JoinToken, Prisma, type Transaction } from "@flotilla/db";
import { type HelloMessage, hashSecret } from "@flotilla/protocol";
import { type Actor, hostObject, recordAudit, type ServiceContext } from "@flotilla/services";
import type { ProvedAgent } from "./server-handshake.ts";
import { refuse } from "./server-handshake.ts";

/** The host whose key was proved. @throws unknown_host: also for a known id with another key. */
export async function findProvedHost(services: ServiceContext, hello: HelloMessage): Promise<Host> {
  const host = await services.prisma.host.findUnique({ where: { id: hello.subject } });
  if (host === null || host.publicKey !== hello.publicKey)
    throw refuse("unknown_host", "this control plane does not know this host and key: join it again");
  return host;
}

/** What the control planes of one database agree on about who holds a host's connection. */
export type Ownership = {
  /** A process of the host wants to connect here: false when another control plane holds a connection of another living process. */
  makeRoom(hostId: string, processId: string): Promise<boolean>;
  /** The host's connection of this epoch is here. */
  hold(tx: Transaction, held: { hostId: string; epoch: number }): Promise<void>;
  /** It has ended. */
  release(held: { hostId: string; epoch: number }): Promise<void>;
};

/** Counts the new connection of a host and stores where it is and what it says of itself. Returns its epoch. */
export async function beginEpoch(
  { services, ownership }: { services: ServiceContext; ownership: Ownership },
  host: Host,
  seen: { hello: HelloMessage; address: string },
): Promise<number> {
  return services.prisma.$transaction(async (tx) => {
    const { epoch } = await tx.host.update({
      where: { id: host.id, publicKey: host.publicKey },
      data: { epoch: { increment: 1 }, facts: seen.hello.facts, address: seen.address, lastSeenAt: new Date(services.nowMs()) },
      select: { epoch: true },
    });
    await ownership.hold(tx, { hostId: host.id, epoch });
    return epoch;
  });
}

/**
 * Makes a host of an agent that shows a join token. The token is counted down in the same transaction, so that one use
 * makes one host whoever races. A host that lost the answer and joins again with its own key gets its place back.
 */
export async function registerHost(services: ServiceContext, agent: ProvedAgent, address: string): Promise<Host> {
  try {
    return await services.prisma.$transaction((tx) => register(tx, { services, agent, address }));
  } catch (error) {
    if (error instanceof Prisma.PrismaClientKnownRequestError && error.code === "P2002") {
      throw refuse("name_taken", `there is a host called ${agent.hello.name ?? "so"} already: join with --name`);
    }
    throw error;
  }
}

type Registration = { services: ServiceContext; agent: ProvedAgent; address: string };

async function register(tx: Transaction, registration: Registration): Promise<Host> {
  const { services, agent, address } = registration;
  const { hello, secret } = agent;
  const token = await tx.joinToken.findUnique({ where: { id: hello.subject } });
  if (token === null || secret === undefined || !isSameDigest(token.tokenHash, hashSecret(secret)))
    throw refuse("bad_token", "the join token is not valid");
  const existing = await tx.host.findUnique({ where: { publicKey: hello.publicKey } });
  if (existing !== null) {
    if (existing.teamId !== token.teamId) throw refuse("bad_token", "the join token is not valid");
    return existing;
  }
  const now = new Date(services.nowMs());
  const { count } = await tx.joinToken.updateMany({
    where: { id: token.id, usesLeft: { gt: 0 }, expiresAt: { gt: now } },
    data: { usesLeft: { decrement: 1 } },
  });
  if (count === 0) throw refuse("bad_token", "the join token has expired or was used up");
  const host = (await rekey(tx, token, hello)) ?? (await tx.host.create({ data: newHost(token, hello, address) }));
  const actor: Actor = { kind: "host", hostId: host.id, name: host.name, teamId: host.teamId, address };
  await recordAudit(tx, { actor, action: "host.join", object: hostObject(host), outcome: "ok", detail: { joinToken: token.id } });
  return host;
}

/** A token made for one host gives that host a new key; this machine's own token gives it to the local host. */
async function rekey(tx: Transaction, token: JoinToken, hello: HelloMessage): Promise<Host | null> {
  const hostId =
    token.rekeyHostId ?? (token.isLocal ? (await tx.host.findFirst({ where: { teamId: token.teamId, isLocal: true } }))?.id : undefined);
  if (hostId === undefined) return null;
  return tx.host.update({ where: { id: hostId, teamId: token.teamId }, data: { publicKey: hello.publicKey, flag: null } });
}

function newHost(token: JoinToken, hello: HelloMessage, address: string): Prisma.HostUncheckedCreateInput {
  const name = token.name ?? hello.name;
  if (name === undefined) throw refuse("bad_request", "the join names no host");
  return { teamId: token.teamId, name, publicKey: hello.publicKey, isLocal: token.isLocal, facts: hello.facts, address };
}

function isSameDigest(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}
