import { Duplex } from "node:stream";
import { StdcopyDecoder, type ExecCreateBody } from "@flotilla/engine-api";
import type { Probe } from "../health/health-monitor.ts";
import type { ExecService } from "./exec-service.ts";

/** More of a probe's output is read and dropped. */
const MAX_OUTPUT_BYTES = 8 * 1024;

/** Runs the commands of health checks as execs, with their events, as Docker does. */
export function execProbe(execs: ExecService): Probe {
  return async (view, argv, timeoutMs) => {
    const id = execs.create(view, probeBody(argv));
    const client = new OutputCollector();
    let isTimedOut = false;
    const timer = setTimeout(() => {
      isTimedOut = true;
      execs.kill(view.namespace, id);
    }, timeoutMs);
    try {
      await execs.claim(view.namespace, id, { Detach: false, Tty: false, ConsoleSize: undefined }).run(client);
    } finally {
      clearTimeout(timer);
    }
    return { exitCode: isTimedOut ? -1 : (execs.inspect(view.namespace, id).ExitCode ?? -1), output: client.text() };
  };
}

function probeBody(argv: readonly string[]): ExecCreateBody {
  return {
    AttachStdin: false,
    AttachStdout: true,
    AttachStderr: true,
    DetachKeys: "",
    Tty: false,
    ConsoleSize: undefined,
    Env: null,
    Cmd: [...argv],
    Privileged: false,
    User: "",
    WorkingDir: "",
  };
}

/** A client without input that keeps the beginning of the output, stdout and stderr as they came. */
class OutputCollector extends Duplex {
  readonly #decoder = new StdcopyDecoder();
  readonly #chunks: Buffer[] = [];
  #size = 0;

  constructor() {
    super();
    this.push(null);
  }

  override _read(): void {
    return undefined;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    for (const { payload } of this.#decoder.push(chunk)) {
      if (this.#size >= MAX_OUTPUT_BYTES) break;
      this.#chunks.push(payload.subarray(0, MAX_OUTPUT_BYTES - this.#size));
      this.#size += payload.length;
    }
    done();
  }

  text(): string {
    return Buffer.concat(this.#chunks).toString("utf8");
  }
}
