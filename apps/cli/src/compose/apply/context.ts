import type { LoadedProject } from "@flotilla/compose";
import type { EngineClient } from "../engine/client.ts";
import type { Progress } from "../view/progress.ts";

/** What every effect on an engine needs. */
export type ApplyContext = {
  engine: EngineClient;
  loaded: LoadedProject;
  progress: Progress;
  /** Of the shell: secrets and configs may come from it. */
  environment: Readonly<Record<string, string | undefined>>;
  /** Version of this program, for the label. */
  version: string;
  /** Ends waiting; what has begun is finished. */
  signal: AbortSignal;
};
