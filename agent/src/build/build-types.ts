// The builder's own words: what is asked of it and what it tells. The wire (POST /build) is translated elsewhere.
import type { Digest, Platform } from "@flotilla/image";

/** Limits and surroundings of the containers in which RUN runs. */
export type RunLimits = {
  memoryBytes: number;
  memorySwapBytes: number;
  cpuShares: number;
  cpuPeriodMicros: number;
  cpuQuotaMicros: number;
  cpusetCpus: string;
  cpusetMems: string;
  shmBytes: number;
  ulimits: readonly { Name: string; Hard: number; Soft: number }[];
  extraHosts: readonly string[];
  cgroupParent: string;
  /** "default", "host", "none", a network's name, container:NAME. */
  networkMode: string;
};

export type BuildRequest = {
  namespace: string;
  /** Guard rails do not bind whoever asked. */
  isExempt: boolean;
  /** Path of the Dockerfile inside the context; "" is `Dockerfile`. */
  dockerfile: string;
  tags: readonly string[];
  target: string;
  /** null unsets a default. */
  buildArgs: ReadonlyMap<string, string | null>;
  labels: ReadonlyMap<string, string>;
  isCacheUsed: boolean;
  /** Names of images whose steps may be used again. */
  cacheFrom: readonly string[];
  /** Pulls bases also when they are here. */
  isPullForced: boolean;
  /** What the client asked for; undefined is this machine's. */
  platform: Platform | undefined;
  limits: RunLimits;
  /** Intermediate containers are removed after a step that succeeded, after one that failed. */
  removesContainers: boolean;
  removesFailedContainers: boolean;
  /** `X-Registry-Config`, as the client sent it: for pulling bases. */
  registryConfig: string | undefined;
};

/** What a build tells while it runs, in order. */
export type BuildEvent =
  | { kind: "step"; number: number; total: number; text: string }
  | { kind: "triggers"; count: number }
  | { kind: "cached" }
  | { kind: "running"; containerId: string }
  | { kind: "removed"; containerId: string }
  | { kind: "output"; stream: "stdout" | "stderr"; text: string }
  /** The image that a step ended in; undefined after `FROM scratch`. */
  | { kind: "stepped"; imageId: Digest | undefined }
  | { kind: "progress"; message: Readonly<Record<string, unknown>> }
  | { kind: "warning"; text: string }
  | { kind: "built"; imageId: Digest }
  | { kind: "tagged"; name: string };

/** Takes events in order; a promise asks to wait (the other side reads slowly). */
export type BuildSink = (event: BuildEvent) => Promise<void> | void;
