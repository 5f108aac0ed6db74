import { FlotillaError } from "@flotilla/core";
import type { LinkOperation } from "../host/link-operations.ts";

type AddVxlan = Extract<LinkOperation, { kind: "add-vxlan" }>;

const EXIST_ATTEMPTS = 40;
const EXIST_PAUSE_MS = 50;

/**
 * A VNI exists once per port and host, in whatever namespace: one of ours that is going may need a moment.
 * @param apply performs it in the host's own namespace. @throws FlotillaError `conflict` when another product has the VNI.
 */
export async function addVxlan(apply: (operation: AddVxlan) => void, operation: AddVxlan): Promise<void> {
  for (let left = EXIST_ATTEMPTS; ; left -= 1) {
    try {
      apply(operation);
      return;
    } catch (error) {
      if (!(error instanceof FlotillaError) || error.details["errno"] !== "EEXIST") throw error;
      if (left === 0) throw foreignVni(operation, error);
      await new Promise((resolve) => setTimeout(resolve, EXIST_PAUSE_MS));
    }
  }
}

function foreignVni(operation: AddVxlan, cause: unknown): FlotillaError {
  return new FlotillaError(
    "conflict",
    `VXLAN network identifier ${operation.vni} on UDP port ${operation.port} is in use on this host by a device that is not this agent's`,
    { cause },
  );
}
