// A Node process of our own code that outlives this one: of a session of its own, so that no Ctrl-C reaches it.
import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { MINIMAL_ENV } from "./run.ts";

export type DaemonOptions = {
  module: URL;
  args: readonly string[];
  nodeFlags: readonly string[];
  env: Readonly<Record<string, string>>;
  /** Standard output and error, replaced at each start. */
  logPath: string;
};

export type DaemonProcess = {
  pid: number | undefined;
  /** Whether it has ended, as far as this process knows. */
  hasEnded(): boolean;
};

export function startDaemon({ module, args, nodeFlags, env, logPath }: DaemonOptions): DaemonProcess {
  const log = openSync(logPath, "w", 0o600);
  try {
    const child = spawn(process.execPath, [...nodeFlags, module.pathname, ...args], {
      cwd: "/",
      env: { ...MINIMAL_ENV, ...env },
      detached: true,
      stdio: ["ignore", log, log],
    });
    let hasFailed = false;
    child.on("error", () => {
      hasFailed = true;
    });
    child.unref();
    return { pid: child.pid, hasEnded: () => hasFailed || child.exitCode !== null || child.signalCode !== null };
  } finally {
    closeSync(log);
  }
}
