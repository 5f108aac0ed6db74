import type { Digest } from "@flotilla/image";

/**
 * Progress in Docker's vocabulary; whoever speaks Docker's API turns it into its JSON. `current` and `total` are bytes.
 * The engine adds what it does itself (`Extracting`, `Pull complete`, `Already exists`).
 */
export type PullProgress =
  | { status: "Pulling fs layer" | "Waiting" | "Verifying Checksum" | "Download complete"; digest: Digest }
  | { status: "Downloading"; digest: Digest; current: number; total: number }
  | { status: "Retrying"; digest: Digest; attempt: number };

export type PushProgress =
  | { status: "Preparing" | "Waiting" | "Pushed" | "Layer already exists"; digest: Digest }
  | { status: "Pushing"; digest: Digest; current: number; total: number }
  | { status: "Mounted from"; digest: Digest; repository: string }
  | { status: "Retrying"; digest: Digest; attempt: number };
