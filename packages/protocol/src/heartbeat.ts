import { z } from "zod";

const bytes = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const count = z.number().int().min(0).max(10_000_000);

/** What a machine is. Sent once in the handshake. */
export const hostFacts = z.object({
  agentVersion: z.string().max(64),
  hostname: z.string().max(255),
  os: z.string().max(200),
  kernel: z.string().max(200),
  architecture: z.string().max(32),
  cpus: count,
  memoryBytes: bytes,
});
export type HostFacts = z.output<typeof hostFacts>;

/** How a machine does. Sent with each heartbeat. Percent is of all processors together: 0 to 100. */
export const hostStats = z.object({
  cpuPercent: z.number().min(0).max(100),
  memoryUsedBytes: bytes,
  memoryTotalBytes: bytes,
  diskUsedBytes: bytes,
  diskTotalBytes: bytes,
  containersRunning: count,
  containersTotal: count,
});
export type HostStats = z.output<typeof hostStats>;

/** One line of the heartbeat stream. */
export const heartbeat = z.object({ sequence: z.number().int().min(0), stats: hostStats });
export type Heartbeat = z.output<typeof heartbeat>;

/** A heartbeat line may not be longer. */
export const MAX_HEARTBEAT_BYTES = 4_096;
