import type { ReplicaPhase } from "@flotilla/protocol";

/** What is being done about one replica; not durable. */
export type Runner = {
  isDirty: boolean;
  running: Promise<void> | undefined;
  /** Ends a pull of a replica that is not wanted any more. */
  pull: AbortController | undefined;
  cancelTimer: () => void;
  progress: string;
  log: string[];
  healthOutput: string;
  /** What was said last. */
  phase: ReplicaPhase | undefined;
  /** The image was pulled since the replica came, for those that always pull. */
  isPulled: boolean;
};

export function newRunner(): Runner {
  return {
    isDirty: false,
    running: undefined,
    pull: undefined,
    cancelTimer: () => undefined,
    progress: "",
    log: [],
    healthOutput: "",
    phase: undefined,
    isPulled: false,
  };
}
