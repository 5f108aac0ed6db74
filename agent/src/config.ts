import { createHash } from "node:crypto";
import { join } from "node:path";
import { FlotillaError } from "@flotilla/core";

/** Everything the agent is told from outside, read once. */
export type AgentConfig = {
  /** Durable data of this agent: `$FLOTILLA_DATA/agent`. */
  dataDir: string;
  /** Sockets and volatile state: `$FLOTILLA_RUN`. */
  runDir: string;
  /** `$FLOTILLA_RUN/engine.sock` */
  socketPath: string;
  /**
   * Eight hex digits, made from both directories: part of the name of every bridge, nftables table and cgroup, so that
   * two instances on one machine never touch each other's.
   */
  instance: string;
  logLevel: "debug" | "info" | "warn" | "error";
  /**
   * Where Node keeps compiled code between starts of this program and its workers (halves the time of one); only root may
   * write there. `NODE_COMPILE_CACHE`, which Node itself reads, or a directory of the data.
   */
  compileCacheDir: string;
  /** `ADD URL` and remote build contexts may name addresses that are not public. */
  allowsPrivateUrls?: boolean;
};

const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;

/**
 * How Node is started for the agent. V8's young generation grows to 48 MB and glibc makes a heap for each thread; an agent
 * that waits for calls needs neither (139 MB resident without these two, 114 MB with them, and as quick).
 * The old generation begins with 32 MB: V8 would begin with what it holds, 20 MB, and mark all of it anew for every 6 MB of
 * buffers that pass by (40 times in a pull of 260 MB, half of the agent's time; with this once).
 */
export const AGENT_NODE_FLAGS: readonly string[] = ["--max-semi-space-size=2", "--initial-old-space-size=32"];
export const AGENT_NODE_ENV: Readonly<Record<string, string>> = { MALLOC_ARENA_MAX: "1" };

/** Reads FLOTILLA_DATA, FLOTILLA_RUN, FLOTILLA_LOG and FLOTILLA_BUILD_PRIVATE_URLS (`1` or nothing). @throws FlotillaError `invalid`. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): AgentConfig {
  const data = absolute("FLOTILLA_DATA", env["FLOTILLA_DATA"] ?? "/var/lib/flotilla");
  const runDir = absolute("FLOTILLA_RUN", env["FLOTILLA_RUN"] ?? "/run/flotilla");
  const level = env["FLOTILLA_LOG"] ?? "info";
  const logLevel = LOG_LEVELS.find((known) => known === level);
  if (logLevel === undefined) throw new FlotillaError("invalid", `FLOTILLA_LOG must be one of ${LOG_LEVELS.join(", ")}, not "${level}"`);
  const instance = createHash("sha256").update(`${data}\0${runDir}`).digest("hex").slice(0, 8);
  return {
    dataDir: join(data, "agent"),
    runDir,
    socketPath: join(runDir, "engine.sock"),
    instance,
    logLevel,
    compileCacheDir: absolute("NODE_COMPILE_CACHE", env["NODE_COMPILE_CACHE"] ?? join(data, "agent", "compile-cache")),
    ...(env["FLOTILLA_BUILD_PRIVATE_URLS"] === "1" ? { allowsPrivateUrls: true } : {}),
  };
}

function absolute(name: string, path: string): string {
  if (!path.startsWith("/") || path.includes("\0")) throw new FlotillaError("invalid", `${name} must be an absolute path, not "${path}"`);
  return path.replace(/\/+$/, "") || "/";
}
