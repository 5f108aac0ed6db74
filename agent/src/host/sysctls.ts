import { writeFileSync } from "node:fs";
import { errnoOf } from "./libc.ts";

/** Names with slashes, as `net/ipv4/ip_forward`, and values. */
export type Sysctls = readonly (readonly [name: string, value: string])[];

/** In the network namespace that the calling thread is in; a key that is not there is left out. */
export function writeSysctls(values: Sysctls): void {
  for (const [name, value] of values) writeSysctl(name, value);
}

function writeSysctl(name: string, value: string): void {
  try {
    // Without a look at it first: these keys do nothing more when they are written again.
    writeFileSync(`/proc/sys/${name}`, value);
  } catch (error) {
    if (errnoOf(error) === "ENOENT" || (error instanceof Error && "code" in error && error.code === "ENOENT")) return;
    throw error;
  }
}
