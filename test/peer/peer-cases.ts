import { COPY_CASES } from "./cases/copies.ts";
import { INSTRUCTION_CASES } from "./cases/instructions.ts";
import { RUN_CASES } from "./cases/runs.ts";
import type { PeerCase } from "./peer-case.ts";

/** Everything that is compared with Debian's dockerd. */
export const PEER_CASES: readonly PeerCase[] = [...INSTRUCTION_CASES, ...COPY_CASES, ...RUN_CASES];
