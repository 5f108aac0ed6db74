import type { Digest } from "./digest.ts";

/** Hash of a text's UTF-8 bytes; a port, because this package knows no platform. */
export type HashText = (text: string) => Digest;

/**
 * Chain ids of the OCI image specification ("Layer ChainID"): ChainID(L0) = DiffID(L0),
 * ChainID(L0|…|Ln) = sha256(ChainID(L0|…|Ln-1) + " " + DiffID(Ln)). One per layer, lowest first.
 */
export function chainIds(diffIds: readonly Digest[], hash: HashText): Digest[] {
  const chain: Digest[] = [];
  for (const diffId of diffIds) {
    const parent = chain.at(-1);
    chain.push(parent === undefined ? diffId : hash(`${parent} ${diffId}`));
  }
  return chain;
}
