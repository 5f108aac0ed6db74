import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { OciSeccomp, OciSpec } from "./oci-spec.ts";

/** crun(1): raw filter for seccomp(2) in base64, in place of the profile in the specification. */
const ANNOTATION = "run.oci.seccomp_bpf_data";
/** Where crun leaves the compiled filter of a container, for its own `exec`. */
const COMPILED = "seccomp.bpf";

/**
 * Compiling Docker's profile costs crun half of a container's whole start. Every profile is compiled once, by crun for
 * the first container that has it; later ones get the result. Volatile, as it belongs to this crun and this kernel.
 */
export class SeccompCache {
  readonly #dir: string;
  readonly #filters = new Map<string, string>();

  constructor(dir: string) {
    this.#dir = dir;
    mkdirSync(dir, { recursive: true, mode: 0o700 });
  }

  /** The specification with the compiled filter, when there is one. */
  apply(spec: OciSpec): OciSpec {
    const filter = spec.linux.seccomp === undefined ? undefined : this.#find(keyOf(spec.linux.seccomp));
    return filter === undefined ? spec : { ...spec, annotations: { ...spec.annotations, [ANNOTATION]: filter } };
  }

  /** Takes over what crun compiled for a container it has just created. */
  remember(spec: OciSpec, stateDir: string): void {
    if (spec.linux.seccomp === undefined) return;
    const key = keyOf(spec.linux.seccomp);
    if (this.#find(key) !== undefined) return;
    const filter = readIfThere(join(stateDir, COMPILED));
    // A filter is a list of 8-byte instructions; anything else is not what this crun is expected to leave.
    if (filter === undefined || filter.length === 0 || filter.length % 8 !== 0) return;
    const path = join(this.#dir, key);
    writeFileSync(`${path}.new`, filter, { mode: 0o600 });
    renameSync(`${path}.new`, path);
    this.#filters.set(key, filter.toString("base64"));
  }

  #find(key: string): string | undefined {
    const known = this.#filters.get(key);
    if (known !== undefined) return known;
    const filter = readIfThere(join(this.#dir, key))?.toString("base64");
    if (filter !== undefined) this.#filters.set(key, filter);
    return filter;
  }
}

const keyOf = (seccomp: OciSeccomp): string => createHash("sha256").update(JSON.stringify(seccomp)).digest("hex");

function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}
