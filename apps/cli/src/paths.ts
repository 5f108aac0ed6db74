import { join } from "node:path";

/** The checkout (or installation) that this command belongs to. */
export const ROOT = join(import.meta.dirname, "..", "..", "..");
export const CONTROL_MAIN = join(ROOT, "apps", "control", "src", "server", "main.ts");
export const BACKUP_MAIN = join(ROOT, "apps", "control", "src", "server", "backup", "main.ts");
export const VERSION = "0.1.0";

/**
 * How Node is started for the control plane. Its old generation begins with 128 MB, a little more than it needs: V8 would
 * else look through all of it anew for every few megabytes of an upload that pass by.
 */
export const CONTROL_NODE_FLAGS: readonly string[] = ["--initial-old-space-size=128"];
