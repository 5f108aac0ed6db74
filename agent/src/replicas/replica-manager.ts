import { toFlotillaError } from "@flotilla/core";
import {
  REPLICA_KIND,
  REPLICA_LABEL,
  sayReplica,
  type ReplicaFile,
  type ReplicaState,
  type Resource,
  type ResourceFailure,
} from "@flotilla/protocol";
import { Limiter } from "../distribution/limiter.ts";
import type { ContainerView } from "../engine/containers-port.ts";
import type { Reconciler } from "../state/reconcilers.ts";
import { describeLeaving, describeReplica, lastHealthOutput } from "./describe-replica.ts";
import { afterFailure, beforeStart, FRESH, planReplica, type ReplicaScene, type ReplicaStep } from "./plan-replica.ts";
import { readReplicas } from "./read-replicas.ts";
import { replicaLabels, toContainerBody } from "./replica-body.ts";
import type { ReplicaDeps } from "./replica-ports.ts";
import { newRunner, type Runner } from "./replica-runner.ts";

/** Steps that run at once, and pulls beside them: a large image keeps nobody from being stopped. */
const STEPS = 8;
const PULLS = 3;
const WAITS = "waits for ";

/**
 * The replicas of this host's desired state. INVARIANTS: one step of a replica at a time; each step is planned anew from what is there,
 * so whatever killed the step before is nothing special; replicas do not wait for each other. A container of a replica that is not wanted is removed.
 */
export class ReplicaManager implements Reconciler {
  readonly #deps: ReplicaDeps;
  readonly #runners = new Map<string, Runner>();
  readonly #steps = new Limiter(STEPS);
  readonly #pulls = new Limiter(PULLS);
  readonly #unsubscribe: () => void;
  #wanted: ReadonlyMap<string, ReplicaState> = new Map();
  #files: ReadonlyMap<string, Buffer> = new Map();
  /** Wanted, but nobody could say how: containers of these are left as they are. */
  #unread: ReadonlySet<string> = new Set();
  #isKnown = false;
  #isClosed = false;

  constructor(deps: ReplicaDeps) {
    this.#deps = deps;
    this.#unsubscribe = deps.events.subscribe(({ type, attributes }) => {
      const id = type === "container" ? attributes[REPLICA_LABEL] : undefined;
      if (id !== undefined) this.#kick(id);
    });
  }

  /** Takes the replicas that shall be, and the files that they mount; what is done about each is not waited for. */
  async apply(resources: readonly Resource[]): Promise<readonly ResourceFailure[]> {
    const read = readReplicas(resources, { wanted: this.#wanted, files: this.#files });
    this.#wanted = read.wanted;
    this.#files = read.files;
    this.#unread = read.unread;
    this.#isKnown = true;
    // What is begun now is told with what comes of it.
    const endGathering = this.#deps.observed.gather();
    for (const id of this.#present()) this.#kick(id);
    setImmediate(endGathering);
    return read.failures;
  }

  /** Begins nothing more; waits for what runs, and ends pulls. Containers run on. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#unsubscribe();
    for (const runner of this.#runners.values()) {
      runner.cancelTimer();
      runner.pull?.abort();
    }
    await Promise.all([...this.#runners.values()].map(async ({ running }) => running));
  }

  /** Everything that is wanted or there: containers, files, what is remembered. */
  #present(): Set<string> {
    const labelled = this.#deps.engine.ofReplicas().flatMap(({ labels }) => labels[REPLICA_LABEL] ?? []);
    return new Set([...this.#wanted.keys(), ...labelled, ...this.#deps.memories.ids(), ...this.#deps.files.ids()]);
  }

  #kick(id: string): void {
    if (this.#isClosed || !this.#isKnown || this.#unread.has(id)) return;
    const runner = this.#runners.get(id) ?? newRunner();
    this.#runners.set(id, runner);
    runner.isDirty = true;
    if (!this.#wanted.has(id)) runner.pull?.abort();
    runner.running ??= this.#run(id, runner).finally(() => {
      runner.running = undefined;
      if (!this.#isClosed && runner.isDirty) this.#kick(id);
      else if (!this.#wanted.has(id)) this.#runners.delete(id);
    });
  }

  async #run(id: string, runner: Runner): Promise<void> {
    while (runner.isDirty && !this.#isClosed) {
      runner.isDirty = false;
      runner.cancelTimer();
      const scene = this.#look(id, runner);
      const step = planReplica(scene);
      await this.#publish(id, { runner, scene });
      if (step.kind === "none") continue;
      if (step.kind === "wait") {
        runner.cancelTimer = this.#deps.timer.after(Math.max(10, step.untilMs - scene.nowMs), () => this.#kick(id));
        continue;
      }
      await this.#take(id, { step, runner, scene });
    }
  }

  #look(id: string, runner: Runner): ReplicaScene & { container: ContainerView | undefined } {
    const { engine, memories, silentSinceMs, nowMs } = this.#deps;
    const wanted = this.#wanted.get(id);
    const now = nowMs();
    const hasImage =
      wanted !== undefined && (wanted.pullPolicy !== "always" || runner.isPulled) && engine.hasImage(wanted.namespace, wanted.image);
    const silentForMs = now - (silentSinceMs() ?? now);
    const missing = wanted === undefined ? undefined : this.#missing(wanted);
    if (missing !== undefined || runner.progress.startsWith(WAITS)) runner.progress = missing ?? "";
    const container = this.#containerOf(id);
    const adoptable = container === undefined ? this.#adoptable(wanted) : undefined;
    return { wanted, container, adoptable, memory: memories.get(id), hasImage, missing, silentForMs, nowMs: now };
  }

  /** Of the replica's own namespace and nobody's replica: a document alone gives nobody the containers of others. */
  #adoptable(wanted: ReplicaState | undefined): ContainerView | undefined {
    if (wanted === undefined || wanted.adopts === null) return undefined;
    const view = this.#deps.engine.find(wanted.namespace, wanted.adopts);
    return view === undefined || REPLICA_LABEL in view.labels ? undefined : view;
  }

  #missing({ namespace, networks, files }: ReplicaState): string | undefined {
    const network = networks.find(({ name }) => !this.#deps.engine.hasNetwork(namespace, name));
    if (network !== undefined) return sayReplica("waits_for_network", { name: network.name });
    const file = files.find((each) => !this.#files.has(each.file));
    return file === undefined ? undefined : sayReplica(`waits_for_${file.kind}`, { name: file.target });
  }

  #containerOf(id: string): ContainerView | undefined {
    return this.#deps.engine.ofReplicas(id)[0];
  }

  /** Does a step; what fails is remembered and tried again later. */
  async #take(id: string, { step, runner, scene }: { step: ReplicaStep; runner: Runner; scene: ReplicaScene }): Promise<void> {
    const { memories, nowMs, logger, observed } = this.#deps;
    // Of many replicas that come up, or wait for their turn, not each is a report. What takes long of itself holds nothing back.
    const endGathering = step.kind === "create" || step.kind === "start" ? observed.gather() : () => undefined;
    try {
      await (step.kind === "pull" ? this.#pulls : this.#steps).run(() => this.#execute(id, { step, runner }));
      // After a removal nothing is left to be planned, unless it came to be wanted meanwhile.
      if (step.kind !== "remove" || this.#wanted.has(id)) runner.isDirty = true;
    } catch (error) {
      const { message } = toFlotillaError(error);
      runner.isDirty = true;
      if (this.#isClosed || !this.#wanted.has(id)) {
        if (step.kind !== "remove") return;
        logger.warn("a replica that is not wanted could not be removed", { replicaId: id, error: message });
        runner.isDirty = false;
        runner.cancelTimer = this.#deps.timer.after(1_000, () => this.#kick(id));
        return;
      }
      logger.info("a step of a replica did not succeed", { replicaId: id, step: step.kind, error: message });
      const memory = memories.get(id);
      const delayMs = scene.wanted?.restart.delayMs ?? 0;
      memories.set(id, afterFailure(memory, { reason: message, end: memory.countedEnd, ranMs: 0, delayMs, nowMs: nowMs() }));
    } finally {
      // After what comes of the step is said.
      setImmediate(endGathering);
    }
  }

  async #execute(id: string, { step, runner }: { step: ReplicaStep; runner: Runner }): Promise<void> {
    const { engine, memories } = this.#deps;
    const wanted = this.#wanted.get(id);
    const container = this.#containerOf(id);
    if (step.kind === "remove") return this.#remove(id, container);
    if (wanted === undefined) return;
    if (step.kind === "pull") return this.#pull(wanted, runner);
    if (step.kind === "adopt") {
      const adopted = this.#adoptable(wanted);
      if (adopted !== undefined) await engine.adopt(wanted.namespace, adopted.id, replicaLabels(wanted));
      return;
    }
    // Before the creation too: the engine looks at what is to be mounted.
    if (step.kind === "create" || step.kind === "start") this.#deps.files.prepare(wanted, (file) => this.#files.get(file));
    if (step.kind === "create") {
      const { namespace, name } = wanted;
      const pathOf = (file: ReplicaFile): string => this.#deps.files.pathOf(id, file);
      await engine.create({ namespace, name, body: toContainerBody(wanted, pathOf), ownSources: wanted.files.map(pathOf) });
      return;
    }
    if (container === undefined) return;
    if (step.kind === "count") return this.#count(wanted, { step, container, runner });
    if (step.kind === "stop") return engine.stop(wanted.namespace, container.id);
    memories.set(id, beforeStart(memories.get(id), container));
    await engine.start(wanted.namespace, container.id);
  }

  async #remove(id: string, container: ContainerView | undefined): Promise<void> {
    const { engine, files, memories, observed } = this.#deps;
    if (container !== undefined) {
      // Politely, with the time that the container has for it.
      if (["running", "paused", "restarting"].includes(container.status)) await engine.stop(container.namespace, container.id);
      await engine.remove(container.namespace, container.id);
    }
    files.remove(id);
    memories.forget(id);
    if (!this.#wanted.has(id)) observed.remove(`${REPLICA_KIND}/${id}`);
  }

  async #pull({ id, namespace, image, pullPolicy }: ReplicaState, runner: Runner): Promise<void> {
    if (pullPolicy === "never") throw new Error(`No such image: ${image}, and the service says that it is never pulled`);
    const pull = new AbortController();
    runner.pull = pull;
    try {
      await this.#deps.engine.pull({
        namespace,
        image,
        signal: pull.signal,
        progress: (part) => {
          // In steps of ten: each is a message to the control plane.
          const text = sayReplica("pulling", { image, percent: Math.floor(part * 10) * 10 });
          if (text === runner.progress) return;
          runner.progress = text;
          void this.#publish(id, { runner, scene: this.#look(id, runner) });
        },
      });
      runner.isPulled = true;
    } finally {
      runner.pull = undefined;
      runner.progress = "";
    }
  }

  /** Takes note of an end, with the last lines of the log. */
  async #count(
    wanted: ReplicaState,
    end: { step: ReplicaStep & { kind: "count" }; container: ContainerView; runner: Runner },
  ): Promise<void> {
    const { memories, lastLines, nowMs } = this.#deps;
    const { step, container, runner } = end;
    runner.log = await lastLines(container.logPath).catch(() => []);
    runner.healthOutput = lastHealthOutput(container);
    const now = nowMs();
    const ranMs = now - container.startedAtMs;
    const failure = { reason: step.reason, end: step.end, ranMs, delayMs: wanted.restart.delayMs, nowMs: now };
    memories.set(wanted.id, afterFailure(memories.get(wanted.id), failure));
  }

  async #publish(
    id: string,
    { runner, scene }: { runner: Runner; scene: ReplicaScene & { container?: ContainerView | undefined } },
  ): Promise<void> {
    const { wanted, container, memory } = scene;
    if (wanted === undefined) return this.#publishLeaving(id, runner, container);
    const hasFailed = container?.status === "exited" || container?.health?.Status === "unhealthy";
    const needsLog = container !== undefined && hasFailed && runner.log.length === 0 && container.startedAtMs > 0;
    if (needsLog) runner.log = await this.#deps.lastLines(container.logPath).catch(() => []);
    const body = describeReplica({
      wanted,
      container,
      memory: memory ?? FRESH,
      silentForMs: scene.silentForMs,
      progress: runner.progress,
      log: runner.log,
      healthOutput: runner.healthOutput,
    });
    const { observed } = this.#deps;
    observed.set(`${REPLICA_KIND}/${id}`, body);
    // Nobody shall be led to one that does not serve any more.
    if (runner.phase === "running" && body.phase !== "running") observed.flush();
    runner.phase = body.phase;
  }
  /** An agent that has begun anew says of what it still has to remove that it is there: nobody shall take it for gone. */
  #publishLeaving(id: string, runner: Runner, container: ContainerView | undefined): void {
    if (container === undefined || runner.phase !== undefined) return;
    const body = describeLeaving(container);
    this.#deps.observed.set(`${REPLICA_KIND}/${id}`, body);
    runner.phase = body.phase;
  }
}
