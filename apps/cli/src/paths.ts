import { join } from "node:path";

/** The checkout (or installation) that this command belongs to. */
export const ROOT = join(import.meta.dirname, "..", "..", "..");
export const CONTROL_MAIN = join(ROOT, "apps", "control", "src", "server", "main.ts");
export const AGENT_MAIN = join(ROOT, "agent", "src", "main.ts");
export const VERSION = "0.1.0";
