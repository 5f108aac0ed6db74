import { existsSync, readFileSync, rmSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { ContainerView } from "../engine/containers-port.ts";
import type { OciProcess } from "../runtime/oci-spec.ts";

const RuntimeLogLine = z.object({ level: z.string(), msg: z.string() });

/** Files of one exec in the container's bundle, which goes with the container: nothing is left behind by a crash. */
export class ExecFiles {
  readonly processPath: string;
  readonly logPath: string;
  readonly pidPath: string;

  constructor(view: ContainerView, execId: string) {
    const base = join(view.bundleDir, `exec-${execId.slice(0, 16)}`);
    this.processPath = `${base}.json`;
    this.logPath = `${base}.log`;
    this.pidPath = `${base}.pid`;
  }

  async write(process: OciProcess): Promise<void> {
    await writeFile(this.processPath, JSON.stringify(process), { mode: 0o600 });
  }

  /** The runtime writes the pid when the program has been started, and not at all when it cannot be. */
  hasStarted(): boolean {
    return existsSync(this.pidPath);
  }

  /** Host pid of the program; 0 when unknown. */
  pid(): number {
    const pid = Number(readOr(this.pidPath).trim());
    return Number.isSafeInteger(pid) ? pid : 0;
  }

  /** Why the runtime refused; undefined when it did not. */
  refusal(): string | undefined {
    for (const line of readOr(this.logPath).split("\n")) {
      const parsed = RuntimeLogLine.safeParse(parseJson(line));
      if (parsed.success && parsed.data.level === "error") return parsed.data.msg;
    }
    return undefined;
  }

  remove(): void {
    for (const path of [this.processPath, this.logPath, this.pidPath]) rmSync(path, { force: true });
  }
}

function readOr(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
