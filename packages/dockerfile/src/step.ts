import type { CopyBody } from "./instruction.ts";
import type { RunMount } from "./run-mount.ts";

/** What a builder does for one instruction; everything is expanded. `createdBy` is for the image's history. */
export type Step = { createdBy: string } & (ConfigStep | WorkdirStep | RunStep | CopyStep);

/** Only the configuration changed. */
export type ConfigStep = { kind: "config" };

/** The configuration changed, and the directory is made when it is missing. */
export type WorkdirStep = { kind: "workdir"; path: string };

export type RunStep = {
  kind: "run";
  argv: readonly string[];
  /** The image's environment and the arguments in scope, `NAME=value`. */
  env: readonly string[];
  /** Proxy variables that were given: they reach the process and nothing else. */
  proxyEnv: readonly string[];
  user: string;
  workingDir: string;
  /** Files that must be there for this step only, outside the layer: here-documents that name their interpreter. */
  scripts: readonly { path: string; content: string }[];
  mounts: readonly RunMount[];
  network: "default" | "none" | "host";
  security: "sandbox" | "insecure";
};

export type CopyStep = Omit<CopyBody, "files" | "destination"> & {
  /** Absolute; with a slash at the end when it is to be a directory. */
  destination: string;
  files: readonly { name: string; content: string }[];
};
