// The processes behind ArchiveWorkers. Starting one costs 0.1 to 0.2 s, so the next is started ahead while jobs keep coming,
// and one that can take another job waits for it.
import { startWorkerProcess, type WorkerProcess } from "../host/worker-process.ts";
import { keepsWorker, type Job } from "./worker/jobs.ts";

/** A job this soon after another one is taken as part of a burst. */
const BURST_MS = 5_000;
/** How long a worker waits for a job before it is ended, so that an idle agent is one process. */
const IDLE_MS = 15_000;
/** As many may wait: a build with parallel stages uses a few at a time. */
const MAX_IDLE = 3;
/** Then a worker ends: whatever a job leaves in it does not add up. */
const MAX_JOBS = 100;

/**
 * How many workers a job makes wait for the next ones. The docker command looks at a path before each copy; what follows a context
 * is a copy. A worker that is kept waits by itself.
 */
const AHEAD: Readonly<Partial<Record<Job["kind"], { always: number; inBurst: number }>>> = {
  stat: { always: 1, inBurst: 1 },
  "build-context": { always: 1, inBurst: 1 },
};
const NONE_AHEAD = { always: 0, inBurst: 0 } as const;
const OTHERS_AHEAD = { always: 0, inBurst: 1 } as const;

type Waiting = { worker: WorkerProcess; timer: NodeJS.Timeout };

export class WorkerPool {
  readonly #module: URL;
  readonly #cacheDir: string;
  readonly #nowMs: () => number;
  readonly #running = new Set<WorkerProcess>();
  readonly #jobs = new WeakMap<WorkerProcess, number>();
  /** In the order in which they began to wait. */
  #idle: Waiting[] = [];
  #lastJobMs = Number.NEGATIVE_INFINITY;

  constructor(options: { module: URL; cacheDir: string; nowMs: () => number }) {
    this.#module = options.module;
    this.#cacheDir = options.cacheDir;
    this.#nowMs = options.nowMs;
  }

  /** A worker for a job; whoever takes it sees to its end, or gives it back. */
  take(job: Job): WorkerProcess {
    // The last one that worked has everything ready; the oldest ones may end.
    const waiting = this.#idle.pop();
    clearTimeout(waiting?.timer);
    const worker = waiting?.worker ?? this.start(this.#module);
    this.#jobs.set(worker, (this.#jobs.get(worker) ?? 0) + 1);
    const { always, inBurst } = keepsWorker(job) ? NONE_AHEAD : (AHEAD[job.kind] ?? OTHERS_AHEAD);
    const isBurst = this.#nowMs() - this.#lastJobMs < BURST_MS;
    this.#lastJobMs = this.#nowMs();
    this.prepare(isBurst ? inBurst : always);
    return worker;
  }

  /** Takes a worker back whose job left it as it was. */
  giveBack(worker: WorkerProcess): void {
    if (this.#idle.length >= MAX_IDLE || (this.#jobs.get(worker) ?? 0) >= MAX_JOBS) worker.kill();
    else this.#wait(worker);
  }

  /** Has at least so many workers wait: somebody will need them soon. */
  prepare(count: number): void {
    while (this.#idle.length < count) this.#wait(this.start(this.#module));
  }

  /** A worker of a module of its own, which whoever starts it sees to the end of. */
  start(module: URL): WorkerProcess {
    const worker = startWorkerProcess(module, this.#cacheDir);
    this.#running.add(worker);
    void worker.exited.then(() => {
      this.#running.delete(worker);
      this.#forget(worker);
    });
    return worker;
  }

  /** Ends all workers; jobs that run fail. */
  async close(): Promise<void> {
    for (const { worker } of this.#idle) this.#end(worker);
    const running = [...this.#running];
    for (const worker of running) worker.kill();
    await Promise.all(running.map((worker) => worker.exited));
  }

  #wait(worker: WorkerProcess): void {
    const timer = setTimeout(() => this.#end(worker), IDLE_MS);
    timer.unref();
    this.#idle.push({ worker, timer });
  }

  /** Ends a worker that waits for a job; one that has a job by now goes on. */
  #end(worker: WorkerProcess): void {
    if (this.#forget(worker)) worker.kill();
  }

  #forget(worker: WorkerProcess): boolean {
    const found = this.#idle.find((waiting) => waiting.worker === worker);
    clearTimeout(found?.timer);
    this.#idle = this.#idle.filter((waiting) => waiting !== found);
    return found !== undefined;
  }
}
