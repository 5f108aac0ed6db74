// "Can A reach B?": what the agent of A's host finds when it looks from A, and the agent of B's host when it looks at B. Facts
// only; what they mean together is the control plane's to say. Routes of the engine beside Docker's, for the control plane:
//   POST /flotilla/v1/containers/{id}/reach    reachQuestion → reachFacts
//   POST /flotilla/v1/containers/{id}/listens  listenQuestion → listenFacts
import { z } from "zod";
import { peerState } from "./mesh-state.ts";

const port = z.int().min(1).max(65_535);
const address = z.union([z.ipv4(), z.ipv6()]);
const protocol = z.enum(["tcp", "udp"]);

/** Names and addresses are looked at, never run. */
export const reachQuestion = z.object({
  /** An address, or a name that A's own resolver is asked for. */
  target: z.union([address, z.string().regex(/^[a-zA-Z0-9_]([a-zA-Z0-9_.-]{0,252})$/, "must be a name or an address")]),
  /** null: whether anything at all answers there. */
  port: port.nullable(),
  protocol,
});
export type ReachQuestion = z.output<typeof reachQuestion>;

/**
 * What became of an attempt. `refused` is an answer: whoever has the address says that nothing listens. `silent`: no answer in
 * time. `unreachable`: some hop, this host included, says that there is no way. `unsettled`: a datagram to which nobody said no.
 */
export const attempt = z.object({
  outcome: z.enum(["open", "refused", "silent", "unreachable", "unsettled"]),
  ms: z.number().min(0),
  /** Of the failed system call, such as EHOSTUNREACH; "" otherwise. */
  errno: z.string().max(64),
});
export type Attempt = z.output<typeof attempt>;

const place = z.object({ address, attempt });

export const reachFacts = z.object({
  name: z.object({ outcome: z.enum(["given", "answered", "unknown", "silent"]), addresses: z.array(address).max(64) }),
  /** What was tried: the address given, or the first one of the name. null: there is none. */
  address: address.nullable(),
  /** Whose address A sends from, and on which of its networks; null: A has no way there. */
  source: z
    .object({ address, network: z.object({ id: z.string().max(64), name: z.string().max(255), driver: z.string().max(64) }).nullable() })
    .nullable(),
  /** A's first hop; null: it has none (the host's own network). */
  router: place.nullable(),
  /** The service whose virtual address it is, with how many backends this host balances over; null for any other address. */
  service: z.object({ id: z.string().max(128), backends: z.int().min(0) }).nullable(),
  /** On an overlay: the host that has the address; null when it is A's own, or nobody's. */
  remote: z
    .object({
      host: z.int(),
      /** As A's host's probes see it. */
      state: peerState,
      rttMicros: z.int().min(0).nullable(),
      pathMtuBytes: z.int().min(0).nullable(),
      /** What the network's largest packet needs on the way. */
      needsBytes: z.int().min(0),
      /** Its router, called through VXLAN from A's router; null: it has no address there. */
      router: place.nullable(),
    })
    .nullable(),
  /** `closed`: the address is isolated, and nothing allows A there. */
  policy: z.enum(["open", "closed"]),
  /** The thing itself, from A. null: there was no address to try. */
  port: attempt.nullable(),
});
export type ReachFacts = z.output<typeof reachFacts>;

export const listenQuestion = z.object({ address, port: port.nullable(), protocol });
export type ListenQuestion = z.output<typeof listenQuestion>;

export const listenFacts = z.object({
  hasAddress: z.boolean(),
  /** `elsewhere`: on other addresses of B's than this one, such as 127.0.0.1 alone. null: no port was asked for. */
  listens: z.enum(["here", "elsewhere", "nowhere"]).nullable(),
  /** From the namespace that B's own router is in; null: it is not on an overlay. */
  fromRouter: attempt.nullable(),
});
export type ListenFacts = z.output<typeof listenFacts>;
