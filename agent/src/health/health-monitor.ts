import { type Logger, toFlotillaError } from "@flotilla/core";
import { containerEvent } from "../api/container-event.ts";
import type { Containers, ContainerView, HealthView } from "../engine/containers-port.ts";
import type { EngineEvent, EventBus } from "../events/bus.ts";
import { applyProbe, type HealthPlan, nextProbeDelayMs, planHealth, type ProbeResult } from "./plan-health.ts";

/** Runs a command in a container to its end or its time's, and gives exit code (-1 when the time was up) and output. */
export type Probe = (
  view: ContainerView,
  argv: readonly [string, ...string[]],
  timeoutMs: number,
) => Promise<{ exitCode: number; output: string }>;

export type HealthMonitorParts = { containers: Containers; events: EventBus; probe: Probe; logger: Logger; nowMs: () => number };

type Watch = { timer: NodeJS.Timeout | undefined; isStopped: boolean };

/** `pause` and `die` end a watch; every other action of this list (re)starts it. */
const STARTING = new Set(["start", "unpause"]);
const ENDING = new Set(["die", "pause", "destroy"]);

/**
 * Probes every running container that has a health check. One probe of a container at a time; the next one is due an
 * interval after the end of the one before. Health is kept with the container, so a restart of the agent goes on with it.
 */
export class HealthMonitor {
  readonly #parts: HealthMonitorParts;
  readonly #watches = new Map<string, Watch>();
  readonly #unsubscribe: () => void;

  /** Begins at once with the containers that run. */
  constructor(parts: HealthMonitorParts) {
    this.#parts = parts;
    this.#unsubscribe = parts.events.subscribe((event) => this.#onEvent(event));
    for (const view of parts.containers.views()) if (view.status === "running") this.#watch(view);
  }

  close(): void {
    this.#unsubscribe();
    for (const id of this.#watches.keys()) this.#stop(id);
  }

  #onEvent(event: EngineEvent): void {
    if (event.type !== "container") return;
    if (ENDING.has(event.action)) this.#stop(event.id);
    if (!STARTING.has(event.action)) return;
    const view = this.#find(event.namespace, event.id);
    if (view?.status === "running") this.#watch(view);
  }

  #watch(view: ContainerView): void {
    const plan = planHealth(view.config.Healthcheck, view.config.Shell);
    if (plan === undefined) return;
    this.#stop(view.id);
    const watch: Watch = { timer: undefined, isStopped: false };
    this.#watches.set(view.id, watch);
    this.#schedule(view, plan, watch);
  }

  #stop(id: string): void {
    const watch = this.#watches.get(id);
    if (watch === undefined) return;
    watch.isStopped = true;
    clearTimeout(watch.timer);
    this.#watches.delete(id);
  }

  #schedule(view: ContainerView, plan: HealthPlan, watch: Watch): void {
    const delayMs = nextProbeDelayMs(plan, healthOf(view), this.#parts.nowMs() - view.startedAtMs);
    watch.timer = setTimeout(() => {
      this.#probe(view, plan, watch).catch((error: unknown) => {
        this.#parts.logger.warn("a health check broke off", { containerId: view.id, error: toFlotillaError(error).message });
      });
    }, delayMs);
    watch.timer.unref();
  }

  async #probe(before: ContainerView, plan: HealthPlan, watch: Watch): Promise<void> {
    const { nowMs, containers, events } = this.#parts;
    const startedAtMs = nowMs();
    const outcome = await this.#runProbe(before, plan);
    const view = this.#find(before.namespace, before.id);
    // It stopped meanwhile: what the probe says is about a container that was ending.
    if (watch.isStopped || view === undefined) return;
    const result: ProbeResult = { startedAtMs, endedAtMs: nowMs(), ...outcome };
    const was = healthOf(view);
    const health = applyProbe(plan, was, { result, runningMs: startedAtMs - view.startedAtMs });
    containers.setHealth(view.id, health);
    if (health.Status !== was.Status) events.publish(containerEvent(view, `health_status: ${health.Status}`));
    this.#schedule({ ...view, health }, plan, watch);
  }

  async #runProbe(view: ContainerView, plan: HealthPlan): Promise<{ exitCode: number; output: string }> {
    try {
      const result = await this.#parts.probe(view, plan.argv, plan.timeoutMs);
      if (result.exitCode >= 0) return result;
      return {
        exitCode: -1,
        output: `Health check exceeded timeout (${plan.timeoutMs / 1000}s)${result.output === "" ? "" : `: ${result.output}`}`,
      };
    } catch (error) {
      return { exitCode: -1, output: toFlotillaError(error).message };
    }
  }

  #find(namespace: string, id: string): ContainerView | undefined {
    return this.#parts.containers.views(namespace).find((view) => view.id === id);
  }
}

function healthOf(view: ContainerView): HealthView {
  return view.health ?? { Status: "starting", FailingStreak: 0, Log: [] };
}
