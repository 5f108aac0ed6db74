// Worker processes for everything that touches a tree that is not ours (layers, containers): each does its job in a chroot and
// ends, or, where the jobs of a build follow one another, leaves the tree and waits for the next (worker-pool.ts).
import { pipeline } from "node:stream/promises";
import { PassThrough, Readable } from "node:stream";
import { FlotillaError } from "@flotilla/core";
import type { AgentConfig } from "../config.ts";
import type { WorkerProcess } from "../host/worker-process.ts";
import { programUrl } from "../programs.ts";
import { announcement } from "./worker/growing-file.ts";
import { answerSchema, keepsWorker, type Answer, type Job, type PathStat } from "./worker/jobs.ts";
import { WorkerPool } from "./worker-pool.ts";

/** How a job comes to its end, from when the worker has it. */
type Outcome = (worker: WorkerProcess, answered: Promise<Answer>) => Promise<Answer>;

type FinalAnswer = Exclude<Answer, { kind: "ready" | "failed" }>;

/** The tar of a layer while a worker writes it; `done` settles when the worker is gone. Read the stream to its end, or destroy it. */
export type LayerStream = { stream: Readable; done: Promise<{ sizeBytes: number }> };

/** A tar that a worker writes while it is read. */
export type PackStream = { stat: PathStat; stream: Readable };

export type ArchiveWorkersOptions = {
  /** For Node's compile cache; made when missing. Only root may write there. */
  cacheDir: string;
  nowMs?: () => number;
};

export class ArchiveWorkers {
  readonly #pool: WorkerPool;

  constructor(options: ArchiveWorkersOptions) {
    this.#pool = new WorkerPool({
      module: programUrl("archive/worker/main"),
      cacheDir: options.cacheDir,
      nowMs: options.nowMs ?? Date.now,
    });
  }

  /** Has a worker ready for a job that will come. */
  prepare(): void {
    this.#pool.prepare(1);
  }

  /**
   * Runs a job to its end, `input` being its standard input (none for a job that keeps its worker). The worker's own reason
   * wins over a broken pipe.
   * @throws FlotillaError as the worker says, or the error of `input`.
   */
  run(job: Job, input?: Readable, signal?: AbortSignal): Promise<FinalAnswer> {
    const isKept = keepsWorker(job);
    return this.#perform(job, (worker, answered) => (isKept ? answered : outcomeOf(answered, feed(worker, input))), signal);
  }

  /**
   * Extracts a layer from the file `inputPath` while it is written. @param lengths how many of its bytes are there, again and
   * again; after the last one it is whole. They are not asked for any more, and have ended, when this settles.
   * @throws FlotillaError as the worker says, or the error of `lengths`.
   */
  async extract(job: Extract<Job, { kind: "extract-layer" }>, lengths: AsyncIterable<number>, signal?: AbortSignal): Promise<FinalAnswer> {
    const stop = new AbortController();
    let announced: Promise<void> = Promise.resolve();
    const outcome = this.#perform(
      job,
      (worker, answered) => {
        announced = announce(worker, lengths, stop.signal);
        return outcomeOf(answered, announced);
      },
      signal,
    );
    try {
      return await outcome;
    } finally {
      stop.abort();
      await announced.catch(() => undefined);
    }
  }

  async #perform(job: Job, outcome: Outcome, signal: AbortSignal | undefined): Promise<FinalAnswer> {
    const worker = this.#pool.take(job);
    const isKept = keepsWorker(job);
    const stop = (): void => worker.kill();
    signal?.addEventListener("abort", stop, { once: true });
    let isFree = false;
    try {
      signal?.throwIfAborted();
      // One that is kept writes nothing there, and the next job's output must wait for its reader.
      if (!isKept) worker.stdout.resume();
      const answered = finalAnswer(worker);
      worker.send(job);
      const success = successOf(await outcome(worker, answered));
      isFree = isKept;
      return success;
    } catch (error) {
      worker.kill();
      throw error;
    } finally {
      signal?.removeEventListener("abort", stop);
      // One that is kept has left the tree; until another is gone, its tree is busy and cannot be unmounted.
      if (isFree) this.#pool.giveBack(worker);
      else await worker.exited;
    }
  }

  /** Starts a pack job. Destroying the stream ends the worker. @throws FlotillaError as the worker says. */
  async pack(job: Extract<Job, { kind: "pack" }>): Promise<PackStream> {
    const worker = this.#pool.take(job);
    const finished = finalAnswer(worker).then(successOf);
    // Failures after the headers are the stream's.
    const stream = outputOf(worker, finished);
    const stat = new Promise<PathStat>((resolve) => {
      worker.onMessage((message) => {
        const answer = answerSchema.safeParse(message);
        if (answer.data?.kind === "stat") resolve(answer.data.stat);
      });
    });
    worker.send(job);
    worker.stdin.end();
    try {
      // The final answer of a job that fails before its stat.
      const first = await Promise.race([stat, finished.then(() => stat)]);
      return { stat: first, stream };
    } catch (error) {
      worker.kill();
      throw error;
    }
  }

  /** Starts to make a layer of a directory. What goes wrong is the error of the stream and of `done`. */
  packLayer(job: Extract<Job, { kind: "pack-layer" }>, signal?: AbortSignal): LayerStream {
    const worker = this.#pool.take(job);
    const stop = (): void => worker.kill();
    signal?.addEventListener("abort", stop, { once: true });
    const done = finishPacking(worker).finally(() => signal?.removeEventListener("abort", stop));
    const stream = outputOf(worker, done);
    if (signal?.aborted === true) worker.kill();
    worker.send(job);
    worker.stdin.end();
    return { stream, done };
  }

  /**
   * The plain bytes of an xz or bzip2 source, by a process of its own. They end only when the process says that all of it was
   * right; what goes wrong is the error of the stream.
   */
  decompress(format: "xz" | "bzip2", source: AsyncIterable<Buffer>): Readable {
    return Readable.from(this.#decompressed(format, Readable.from(source, { objectMode: false })), { objectMode: false });
  }

  async *#decompressed(format: "xz" | "bzip2", source: Readable): AsyncGenerator<Buffer> {
    const worker = this.#pool.start(programUrl("archive/worker/decompress-main"));
    try {
      const outcome = outcomeOf(finalAnswer(worker), feed(worker, source));
      outcome.catch(() => undefined);
      worker.send({ format });
      yield* worker.stdout as AsyncIterable<Buffer>;
      successOf(await outcome);
    } finally {
      worker.kill();
      source.destroy();
    }
  }

  /** Ends all workers; jobs that run fail. */
  async close(): Promise<void> {
    await this.#pool.close();
  }
}

/** Workers of an agent, with their cache in its data directory. */
export function makeArchiveWorkers(config: Pick<AgentConfig, "compileCacheDir">): ArchiveWorkers {
  return new ArchiveWorkers({ cacheDir: config.compileCacheDir });
}

/** The answer that ends a job; a worker that dies without one is an internal error. */
function finalAnswer(worker: WorkerProcess): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let stat: Answer | undefined;
    const removeListener = worker.onMessage((message) => {
      const answer = answerSchema.safeParse(message);
      if (!answer.success) return reject(new FlotillaError("internal", `archive worker: ${answer.error.message}`));
      if (answer.data.kind === "stat") stat = answer.data;
      else if (answer.data.kind !== "ready") {
        removeListener();
        resolve(answer.data);
      }
    });
    void worker.exited.then(({ code, signal }) => {
      if (stat !== undefined && code === 0) return resolve(stat);
      const reason = worker.stderr() === "" ? `ended by ${signal ?? `code ${code}`}` : worker.stderr();
      reject(new FlotillaError("internal", `archive worker: ${reason}`));
    });
  });
}

/** Tells a worker how long its file is. */
async function announce(worker: WorkerProcess, lengths: AsyncIterable<number>, signal: AbortSignal): Promise<void> {
  let last = 0;
  try {
    for await (const length of lengths) {
      if (signal.aborted) return;
      // Eight bytes for each piece of a download: what a pipe holds is never too much.
      if (length !== last) worker.stdin.write(announcement(length));
      last = length;
    }
    worker.stdin.write(announcement(last));
  } catch (error) {
    worker.kill();
    throw error;
  }
}

/** A worker that fails answers before its input ends; a success counts only when all of the input was handed over. */
async function outcomeOf(answered: Promise<Answer>, fed: Promise<void>): Promise<Answer> {
  const whole = fed.then(() => answered);
  const early = answered.then((answer): Answer | Promise<Answer> => (answer.kind === "failed" ? answer : whole));
  return Promise.race([early, whole]);
}

async function feed(worker: WorkerProcess, input: Readable | undefined): Promise<void> {
  if (input === undefined) {
    worker.stdin.end();
    return;
  }
  // Which side broke first decides: a worker that stopped reading has an answer that says why, but a source that broke
  // must never be taken for a whole archive, even when the worker is content with what came.
  let broken: "source" | "worker" | undefined;
  input.once("error", () => (broken ??= "source"));
  input.once("close", () => (broken ??= input.readableEnded ? undefined : "source"));
  worker.stdin.once("error", () => (broken ??= "worker"));
  worker.stdin.once("close", () => (broken ??= "worker"));
  try {
    await pipeline(input, worker.stdin);
  } catch (error) {
    if (broken === "worker") return;
    worker.kill();
    throw error;
  }
}

function successOf(answer: Answer): FinalAnswer {
  if (answer.kind === "failed") throw new FlotillaError(answer.code, answer.message);
  if (answer.kind === "ready") throw new FlotillaError("internal", "archive worker: no answer");
  return answer;
}

/** Settles when the worker has ended. */
async function finishPacking(worker: WorkerProcess): Promise<{ sizeBytes: number }> {
  try {
    const answer = successOf(await finalAnswer(worker));
    if (answer.kind !== "packed") throw new FlotillaError("internal", `archive worker: unexpected answer ${answer.kind}`);
    return { sizeBytes: answer.sizeBytes };
  } finally {
    await worker.exited;
  }
}

/**
 * What a worker writes to its standard output, however late it is read: Node throws away what nobody reads yet when a process
 * ends. It ends well only when the job did, and destroying it ends the worker. @param finished its failure becomes the stream's.
 */
function outputOf(worker: WorkerProcess, finished: Promise<unknown>): Readable {
  const output = new PassThrough();
  // Whoever has it hears of it; a job that fails before its stream was handed out has told its caller.
  output.on("error", () => undefined);
  const whole = pipeline(worker.stdout, output, { end: false }).then(() => finished);
  whole.then(
    () => output.end(),
    (error: unknown) => output.destroy(error instanceof Error ? error : undefined),
  );
  // The same failure ends the stream at once, and not only where the output does.
  finished.catch((error: unknown) => output.destroy(error instanceof Error ? error : undefined));
  output.once("close", () => worker.kill());
  return output;
}
