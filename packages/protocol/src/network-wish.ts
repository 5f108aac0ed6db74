// How a host asks for a cluster network and hears no. The wish is an observed resource `network-wish/<id>`, under an id that
// the host has chosen for the network (or, for addresses, for the wish). It is fulfilled when the host's desired state has `network/<id>` (or has it no more),
// refused when it has `network-refusal/<id>` with the wish's nonce. Whoever is killed meanwhile: the wish is there again with
// the next connection or gone with the agent that had it, and to fulfil it twice is to fulfil it once.
import { z } from "zod";
import { networkId } from "./overlay-state.ts";

export const NETWORK_WISH = "network-wish";
export const NETWORK_REFUSAL = "network-refusal";

/** Docker's restrictions of names. */
export const networkName = z
  .string()
  .regex(/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/, "must be letters, digits, . _ - and begin with a letter or digit");

const prefix = z.string().max(64).default("");
const textMap = z.record(z.string().min(1).max(255), z.string().max(4_096)).default({});

/** What a user asks of a new overlay network; "" is for what the control plane is to choose. */
export const networkRequest = z.object({
  name: networkName,
  subnet: prefix,
  gateway: prefix,
  /** Docker's `--ip-range`: hosts lease their blocks from here. */
  addressRange: prefix,
  hasIpv6: z.boolean().default(false),
  subnet6: prefix,
  isInternal: z.boolean().default(false),
  isAttachable: z.boolean().default(true),
  labels: textMap,
  options: textMap,
});
export type NetworkRequest = z.output<typeof networkRequest>;

const wish = {
  /** Tells this wish from an earlier one for the same network. */
  nonce: z.string().min(8).max(64),
  namespace: z.string().min(1).max(128),
  /** Given by the control plane with a call that came through it: who called. */
  caller: z.string().max(64).optional(),
};
export const networkWish = z.discriminatedUnion("verb", [
  z.object({ verb: z.literal("create"), ...wish, request: networkRequest }),
  z.object({ verb: z.literal("remove"), ...wish }),
  /** An address of the network that is in nobody's block, for this host alone (`docker run --ip`). The wish's own id says nothing. */
  z.object({ verb: z.literal("pin"), ...wish, networkId, address: z.ipv4() }),
  /** One more block of addresses for this host, which has so many and nothing free in them. */
  z.object({ verb: z.literal("grow"), ...wish, networkId, blocks: z.int().min(0).max(65_536) }),
]);
export type NetworkWish = z.output<typeof networkWish>;

export const networkRefusal = z.object({
  nonce: z.string().max(64),
  code: z.enum(["invalid", "forbidden", "not_found", "conflict", "not_implemented", "exhausted", "unavailable"]),
  message: z.string().max(1_000),
});
export type NetworkRefusal = z.output<typeof networkRefusal>;
