import type { HostStats } from "@flotilla/protocol";
import { z } from "zod";

/** Host in inputs: its name or id. */
export const hostRef = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[0-9A-Za-z][0-9A-Za-z-]*$/, "must be a host's name or id");

export type HostRow = {
  id: string;
  name: string;
  state: "online" | "offline" | "never";
  isLocal: boolean;
  version: string | null;
  os: string | null;
  kernel: string | null;
  architecture: string | null;
  cpus: number | null;
  memoryBytes: number | null;
  lastSeenAt: string | null;
  addedAt: string;
  address: string | null;
  /** Why somebody should look at this host, such as a second machine with its key. */
  flag: string | null;
  /** It belongs to another team, which shares it with this one. */
  isShared: boolean;
  stats: HostStats | null;
  /** What the scheduler may do with it. */
  availability: "active" | "cordon" | "drain";
};
