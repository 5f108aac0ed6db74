import { setTimeout as sleep } from "node:timers/promises";
import { FlotillaError, fullJitterMs, toFlotillaError } from "@flotilla/core";
import {
  type AgentStateMessage,
  agentStateMessage,
  type ControlStateMessage,
  DesiredSender,
  formatLine,
  isNextObserved,
  MAX_STATE_LINE_BYTES,
  type ObservedMessage,
  readLines,
  STATE_PATH,
} from "@flotilla/protocol";
import { type CompositionQueue, recordApplied, type ServiceContext, storeObserved } from "@flotilla/services";
import type { HostConnection } from "./host-connection.ts";
import type { RawCall } from "./tunnel-calls.ts";

export type StateStreamOptions = {
  connection: HostConnection;
  services: ServiceContext;
  compositions: CompositionQueue;
  /** The host reported something that is stored now: what it observes under these keys. */
  onReport: (keys: readonly string[]) => void;
};

const RETRY = { minMs: 500, maxMs: 30_000 };
/** A host reports at most so often; what it has to say after a while of silence it says at once. */
const REPORT_MS = 100;
/** An agent that refuses so often in one stream is not going to agree: the stream is begun anew, later. */
const MAX_REFUSALS = 5;

type Open = {
  call: RawCall;
  sender: DesiredSender;
  lastObserved: number;
  refusals: number;
  /** By the clock that nobody sets. */
  ackedAt: number;
};

/**
 * The stream of state of one connection, opened again when it breaks. INVARIANT: what happens on it goes one after the other
 * (`#serially`), so that what was sent and what is remembered of it agree.
 */
export class StateStream {
  readonly #options: StateStreamOptions;
  readonly #stop = new AbortController();
  #tail: Promise<unknown> = Promise.resolve();
  #open: Open | undefined;

  constructor(options: StateStreamOptions) {
    this.#options = options;
    void this.#run();
  }

  /** Composes the host's state and sends what changed, when the host can take it. */
  async refresh(): Promise<void> {
    await this.#serially(async () => {
      const open = this.#open;
      // A host that does not read gets the newest state once it does, and none of those between.
      if (open === undefined || open.call.input.writableNeedDrain) return;
      await open.sender.refresh();
    }).catch((error: unknown) => this.#warn("desired state could not be composed", error));
  }

  close(): void {
    this.#stop.abort();
    this.#open?.call.input.destroy();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      try {
        await this.#serve();
        attempt = 0;
      } catch (error) {
        if (!signal.aborted) this.#warn("the stream of state ended", error);
      }
      await sleep(RETRY.minMs + fullJitterMs(attempt, RETRY, Math.random), undefined, { signal }).catch(() => undefined);
    }
  }

  async #serve(): Promise<void> {
    const { connection, compositions } = this.#options;
    const call = connection.openRaw({ method: "POST", path: STATE_PATH, namespace: "default", signal: this.#stop.signal });
    const send = (message: ControlStateMessage): void => void call.input.write(formatLine(message));
    const sender = new DesiredSender({ compose: (above) => compositions.compose(connection.hostId, above), send });
    const open: Open = { call, sender, lastObserved: 0, refusals: 0, ackedAt: -Infinity };
    const { status } = await call.answered;
    if (status !== 200) throw new FlotillaError("unavailable", `the agent answered ${status}: it may be of an older version`);
    this.#open = open;
    call.input.on("drain", () => void this.refresh());
    try {
      for await (const message of readLines(call.output, { schema: agentStateMessage, maxBytes: MAX_STATE_LINE_BYTES })) {
        await this.#serially(() => this.#take(open, message));
      }
    } finally {
      this.#open = undefined;
      call.input.destroy();
    }
  }

  async #take(open: Open, message: AgentStateMessage): Promise<void> {
    const { connection, services } = this.#options;
    switch (message.type) {
      case "have":
        return open.sender.onHave(message.version);
      case "need_snapshot":
        return open.sender.onNeedSnapshot();
      case "refused":
        open.refusals += 1;
        services.logger.warn("a host refused its desired state", { hostId: connection.hostId, reason: message.message });
        if (open.refusals > MAX_REFUSALS) throw new FlotillaError("conflict", `the agent refuses: ${message.message}`);
        return open.sender.onHave(message.version);
      case "applied": {
        const isTaken = await recordApplied(services, connection, message);
        if (!isTaken) throw replaced();
        this.#options.onReport([]);
        return;
      }
      case "observed_snapshot":
      case "observed_delta":
        return this.#takeObserved(open, message);
    }
  }

  async #takeObserved(open: Open, message: ObservedMessage): Promise<void> {
    const { connection, services } = this.#options;
    const answer = (reply: ControlStateMessage): void => void open.call.input.write(formatLine(reply));
    if (!isNextObserved(open.lastObserved, message)) return answer({ type: "observed_need_snapshot" });
    if (!(await storeObserved(services, connection, message))) throw replaced();
    open.lastObserved = message.sequence;
    this.#acknowledge(open, message.sequence);
    const said = message.type === "observed_snapshot" ? message.resources : message.set;
    this.#options.onReport([...said.map(({ key }) => key), ...(message.type === "observed_delta" ? message.remove : [])]);
  }

  /** What a host observes until then comes as one report: a hundred containers that start are not hundreds of transactions. */
  #acknowledge(open: Open, sequence: number): void {
    const waitMs = open.ackedAt + REPORT_MS - performance.now();
    const answer = (): void => {
      if (this.#open !== open) return;
      open.ackedAt = performance.now();
      open.call.input.write(formatLine({ type: "observed_ack", sequence }));
    };
    if (waitMs <= 0) answer();
    else setTimeout(answer, waitMs).unref();
  }

  #serially<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(task);
    this.#tail = result.catch(() => undefined);
    return result;
  }

  #warn(message: string, error: unknown): void {
    const { connection, services } = this.#options;
    services.logger.warn(message, { hostId: connection.hostId, error: toFlotillaError(error).message });
  }
}

function replaced(): FlotillaError {
  return new FlotillaError("conflict", "a newer connection of this host has reported");
}
