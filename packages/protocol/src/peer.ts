import { z } from "zod";
import { hostFacts, hostStats } from "./heartbeat.ts";
import { publicKeyText, signatureText } from "./keys.ts";

// What control planes of one database say to each other (docs/design/link.md, "Several control planes"). Each dials every other
// one; the dialler is the client of the HTTP/2 connection inside. Both ends prove the one identity key that they share:
//
//   dialler  hello      who I am, whom I mean to reach, my nonce
//   acceptor challenge  my nonce and my signature (as to an agent, see handshake.ts)
//   dialler  proof      my signature
//   acceptor welcome, or: refused

/** WebSocket path and subprotocol. */
export const PEER_PATH = "/peer/v1";
export const PEER_SUBPROTOCOL = "flotilla.peer.v1";

/** Inside: the endless answer of what hosts the other one holds, one {@link rosterMessage} a line. */
export const ROSTER_PATH = "/peer/v1/roster";
/** Inside: asks for the end of a host's connection unless another living process of the host holds it. */
export const YIELD_PATH = "/peer/v1/yield";
/** Inside: ends a host's connection, whoever holds it. */
export const DROP_PATH = "/peer/v1/drop";

/** A call with this header is for a host that the other one holds; everything else of it goes on to the host as it is. */
export const RELAY_HOST_HEADER = "x-flotilla-host";
/** The epoch of the connection that is meant: another one is not called. */
export const RELAY_EPOCH_HEADER = "x-flotilla-epoch";
/** Of the answer: the call was not made, and why. */
export const RELAY_REFUSAL_HEADER = "x-flotilla-relay";
/** Who called, so that what a host wishes because of it is that caller's wish: {@link relayedCaller} as JSON. */
export const RELAY_CALLER_HEADER = "x-flotilla-relay-caller";

/** Random id of one process of a control plane: 128 bits, hex. */
export const planeId = z.string().regex(/^[0-9a-f]{32}$/);
const nonce = z.string().regex(/^[A-Za-z0-9_-]{43}$/);
const hostId = z.string().min(1).max(64);
const epoch = z.number().int().min(0);

export const peerHello = z.object({
  type: z.literal("hello"),
  protocols: z.array(z.number().int().min(1).max(1000)).min(1).max(16),
  purpose: z.literal("peer"),
  from: planeId,
  to: planeId,
  publicKey: publicKeyText,
  nonce,
  /** Whether the dialler's end of the channel is TLS. */
  isTls: z.boolean(),
});
export type PeerHello = z.output<typeof peerHello>;

export const peerProof = z.object({ type: z.literal("proof"), signature: signatureText });

export const PEER_REFUSALS = ["bad_request", "version", "bad_key", "bad_proof", "wrong_instance"] as const;
export type PeerRefusal = (typeof PEER_REFUSALS)[number];

export const peerRefused = z.object({ type: z.literal("refused"), code: z.enum(PEER_REFUSALS), message: z.string().max(500) });
export const peerWelcome = z.object({ type: z.literal("welcome") });

const rosterHost = z.object({ hostId, epoch, facts: hostFacts, stats: hostStats.nullable() });
export type RosterHost = z.output<typeof rosterHost>;

/** `heard`: all hosts were heard just now but those that have been silent for so many milliseconds. */
export const rosterMessage = z.discriminatedUnion("type", [
  z.object({ type: z.literal("snapshot"), hosts: z.array(rosterHost).max(100_000) }),
  z.object({ type: z.literal("set"), host: rosterHost }),
  z.object({ type: z.literal("stats"), hostId, stats: hostStats }),
  z.object({ type: z.literal("remove"), hostId }),
  z.object({ type: z.literal("news"), hostId }),
  z.object({ type: z.literal("heard"), silent: z.record(hostId, z.number().int().min(0)) }),
]);
export type RosterMessage = z.output<typeof rosterMessage>;

/** A line of the roster may not be longer: some 50,000 hosts. */
export const MAX_ROSTER_BYTES = 64 * 1024 * 1024;

export const yieldRequest = z.object({ hostId, processId: nonce });
export const yieldAnswer = z.object({ isFree: z.boolean() });
export const dropRequest = z.object({ hostId, reason: z.string().max(100) });

/** What a caller proved who they are with, in their team: enough to find them in the database again. */
export const relayedCaller = z.object({
  userId: z.string().max(64),
  teamId: z.string().max(64),
  credential: z.object({ kind: z.enum(["session", "token", "password"]), id: z.string().max(128) }),
  address: z.string().max(64).nullable(),
});
export type RelayedCaller = z.output<typeof relayedCaller>;
