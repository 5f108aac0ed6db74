import type { Peers, Service } from "@flotilla/compose";
import { FlotillaError, toFlotillaError } from "@flotilla/core";
import { configHash } from "../plan/config-hash.ts";
import { LABEL, type ObservedContainer } from "../plan/labels.ts";
import type { Step, UpPlan } from "../plan/plan-up.ts";
import type { ApplyContext } from "./context.ts";
import { createContainer, located } from "./create-container.ts";
import type { FileContents } from "./file-contents.ts";
import { removeContainer, stopContainer } from "./containers.ts";
import { runHooks } from "./hooks.ts";
import { inspect, waitForExit, waitForHealth } from "./wait.ts";

export type UpRun = {
  plan: UpPlan;
  contents: FileContents;
  imageIds: ReadonlyMap<string, string>;
  /** Containers that were there before, by service. */
  before: readonly ObservedContainer[];
  starts: boolean;
  renewAnonymousVolumes: boolean;
  /** Of `--timeout`, in seconds. */
  stopTimeoutSeconds?: number | undefined;
  /** Before a container that was there already is started: who wants all that it says must listen by now. */
  onStarting?: ((container: { id: string; name: string; service: string }) => Promise<void>) | undefined;
  onStarted?: ((container: { id: string; name: string; service: string; isNew: boolean }) => void) | undefined;
};

type Running = { id: string; name: string; number: number };

/** Carries a plan out: services beside each other, each behind what it depends on. @throws the first error, after all that began has ended. */
export async function applyUp(context: ApplyContext, run: UpRun): Promise<void> {
  await Promise.all(run.plan.orphans.map((container) => removeContainer(context, container, { stops: true })));
  await Promise.all([
    ...run.plan.networks.map((key) => createNetwork(context, key)),
    ...run.plan.volumes.map((key) => createVolume(context, key)),
  ]);
  const state = new UpState(context, run);
  const results = await Promise.allSettled(run.plan.services.map(({ service }) => state.ensure(service)));
  const failed = results.find((result) => result.status === "rejected");
  if (failed !== undefined) throw toFlotillaError(failed.reason);
}

async function createNetwork({ engine, loaded, progress, version }: ApplyContext, key: string): Promise<void> {
  const network = loaded.project.networks[key];
  if (network === undefined) return;
  if (network.isExternal) throw new FlotillaError("not_found", `network ${network.name} declared as external, but could not be found`);
  progress.set({ kind: "Network", name: network.name, status: "Creating" });
  const { ipam } = network;
  const Config = ipam?.pools.map(({ subnet, ipRange, gateway, auxAddresses }) => ({
    Subnet: subnet,
    IPRange: ipRange,
    Gateway: gateway,
    AuxiliaryAddresses: auxAddresses,
  }));
  const body = {
    Name: network.name,
    CheckDuplicate: true,
    Driver: network.driver ?? "bridge",
    Options: network.driverOpts,
    Internal: network.isInternal,
    Attachable: network.isAttachable,
    ...(ipam === undefined ? {} : { IPAM: { Driver: ipam.driver ?? "default", Options: ipam.options, Config } }),
    Labels: { ...network.labels, [LABEL.project]: loaded.project.name, [LABEL.network]: key, [LABEL.version]: version },
  };
  await placed({ loaded, path: `networks.${key}` }, () => engine.run({ method: "POST", path: "/networks/create", body }));
  progress.set({ kind: "Network", name: network.name, status: "Created" });
}

async function createVolume({ engine, loaded, progress, version }: ApplyContext, key: string): Promise<void> {
  const volume = loaded.project.volumes[key];
  if (volume === undefined) return;
  if (volume.isExternal) throw new FlotillaError("not_found", `external volume "${volume.name}" not found`);
  progress.set({ kind: "Volume", name: volume.name, status: "Creating" });
  const Labels = { ...volume.labels, [LABEL.project]: loaded.project.name, [LABEL.volume]: key, [LABEL.version]: version };
  const body = { Name: volume.name, Driver: volume.driver ?? "local", DriverOpts: volume.driverOpts, Labels };
  await placed({ loaded, path: `volumes.${key}` }, () => engine.run({ method: "POST", path: "/volumes/create", body }));
  progress.set({ kind: "Volume", name: volume.name, status: "Created" });
}

/** The engine's error with the line of the file that it is about. */
async function placed<T>({ loaded, path }: { loaded: ApplyContext["loaded"]; path: string }, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { code, message, details } = toFlotillaError(error);
    const position = loaded.positionOf(path);
    const where = position === undefined ? "" : `${position.file}:${position.line}:${position.column}: `;
    throw new FlotillaError(code, `${where}${path}: ${message}`, { cause: error, details });
  }
}

class UpState {
  readonly #context: ApplyContext;
  readonly #run: UpRun;
  readonly #tasks = new Map<string, Promise<void>>();
  /** What runs of each service, as far as it is known. */
  readonly #containers = new Map<string, Running[]>();

  constructor(context: ApplyContext, run: UpRun) {
    this.#context = context;
    this.#run = run;
    for (const { id, name, service, number, isOneOff } of run.before) {
      if (!isOneOff) this.#containers.set(service, [...(this.#containers.get(service) ?? []), { id, name, number }]);
    }
  }

  /** Once for each service, whoever asks first. */
  ensure(name: string): Promise<void> {
    const task = this.#tasks.get(name) ?? this.#ensureNow(name);
    this.#tasks.set(name, task);
    return task;
  }

  async #ensureNow(name: string): Promise<void> {
    const service = this.#context.loaded.project.services[name];
    const steps = this.#run.plan.services.find((plan) => plan.service === name)?.steps ?? [];
    if (service === undefined) return;
    await this.#awaitDependencies(
      name,
      service,
      steps.some(({ kind }) => kind !== "keep" && kind !== "remove"),
    );
    await Promise.all(steps.map((step) => located(this.#context, { serviceName: name, service }, () => this.#apply(step, service))));
  }

  async #awaitDependencies(name: string, service: Service, startsSomething: boolean): Promise<void> {
    const planned = new Set(this.#run.plan.services.map((plan) => plan.service));
    await Promise.all(
      Object.entries(service.dependsOn).map(async ([other, { condition, isRequired }]) => {
        try {
          if (planned.has(other)) await this.ensure(other);
          if (!startsSomething || !this.#run.starts || !planned.has(other)) return;
          for (const container of this.#containers.get(other) ?? []) await this.#awaitCondition(container, condition);
        } catch (error) {
          if (isRequired)
            throw new FlotillaError("conflict", `service ${name}: dependency failed to start: ${toFlotillaError(error).message}`, {
              cause: error,
            });
          this.#context.progress.note(`optional dependency ${other} of ${name}: ${toFlotillaError(error).message}`);
        }
      }),
    );
  }

  async #awaitCondition(container: Running, condition: Service["dependsOn"][string]["condition"]): Promise<void> {
    const { engine, progress, signal } = this.#context;
    if (condition === "service_started") return;
    progress.set({ kind: "Container", name: container.name, status: "Waiting" });
    if (condition === "service_healthy") {
      await waitForHealth(this.#context, container, true);
      progress.set({ kind: "Container", name: container.name, status: "Healthy" });
      return;
    }
    const code = await waitForExit(engine, container.id, signal);
    if (code !== 0) throw new FlotillaError("conflict", `container ${container.name} didn't complete successfully: exit ${code}`);
    progress.set({ kind: "Container", name: container.name, status: "Exited" });
  }

  async #apply(step: Step, service: Service): Promise<void> {
    const context = this.#context;
    if (step.kind === "keep") return this.#keep(step.container);
    if (step.kind === "remove")
      return removeContainer(context, step.container, { stops: true, timeoutSeconds: this.#run.stopTimeoutSeconds });
    if (step.kind === "start") return this.#start({ ...step.container, service: step.service }, { service, isNew: false });
    if (step.kind === "restart") return this.#restart(step.container);
    if (step.kind === "rename") {
      await context.engine.run({ method: "POST", path: `/containers/${step.container.id}/rename`, query: { name: step.name } });
      return;
    }
    if (step.kind === "create") return this.#create(step, service);
    return this.#replace(step, service);
  }

  #keep({ name, state, id, service }: ObservedContainer): void {
    this.#context.progress.set({
      kind: "Container",
      name,
      status: state === "running" ? "Running" : state.charAt(0).toUpperCase() + state.slice(1),
    });
    if (state === "running") this.#run.onStarted?.({ id, name, service, isNew: false });
  }

  async #create(step: Extract<Step, { kind: "create" }>, service: Service): Promise<void> {
    const { progress } = this.#context;
    progress.set({ kind: "Container", name: step.name, status: "Creating" });
    const id = await this.#createContainer(step, { service, containerName: step.name, inherited: new Map() });
    progress.set({ kind: "Container", name: step.name, status: "Created" });
    this.#remember(step.service, { id, name: step.name, number: step.number });
    if (this.#run.starts) await this.#start({ id, name: step.name, service: step.service }, { service, isNew: true });
  }

  /** The new one is made under a temporary name while the old one runs, so that what cannot be made leaves the old one alone. */
  async #replace(step: Extract<Step, { kind: "replace" }>, service: Service): Promise<void> {
    const { engine, progress } = this.#context;
    const { old } = step;
    progress.set({ kind: "Container", name: step.name, status: "Recreate" });
    const inherited = this.#run.renewAnonymousVolumes ? new Map<string, string>() : await this.#anonymousVolumes(old.id, service);
    const id = await this.#createContainer(step, {
      service,
      containerName: `${old.id.slice(0, 12)}_${step.name}`,
      inherited,
      replaces: old.id,
    });
    await stopContainer(this.#context, old, { timeoutSeconds: this.#run.stopTimeoutSeconds, quiet: true });
    await engine.run({ method: "DELETE", path: `/containers/${old.id}`, query: { force: true } });
    await engine.run({ method: "POST", path: `/containers/${id}/rename`, query: { name: step.name } });
    progress.set({ kind: "Container", name: step.name, status: "Recreated" });
    this.#forget(step.service, old.id);
    this.#remember(step.service, { id, name: step.name, number: step.number });
    if (this.#run.starts) await this.#start({ id, name: step.name, service: step.service }, { service, isNew: true });
  }

  /** Volumes without a name of the old container at paths that the file gives no named volume. */
  async #anonymousVolumes(id: string, service: Service): Promise<Map<string, string>> {
    const { Mounts } = await inspect(this.#context.engine, id);
    const taken = new Set(
      service.volumes.filter((mount) => mount.type !== "volume" || mount.source !== undefined).map(({ target }) => target),
    );
    const own = (Mounts ?? []).flatMap(({ Type, Name, Destination }) =>
      Type === "volume" && Name !== null && Name !== undefined && /^[0-9a-f]{64}$/.test(Name) && !taken.has(Destination)
        ? [[Destination, Name] as const]
        : [],
    );
    return new Map(own);
  }

  #createContainer(
    step: { service: string; number: number },
    made: { service: Service; containerName: string; inherited: ReadonlyMap<string, string>; replaces?: string },
  ): Promise<string> {
    const { contents, imageIds } = this.#run;
    return createContainer(this.#context, {
      ...made,
      serviceName: step.service,
      number: step.number,
      isOneOff: false,
      configHash: configHash(made.service, this.#context.loaded.project, contents.digests),
      imageId: imageIds.get(step.service),
      peers: this.#peers(),
      contents,
    });
  }

  async #start(
    container: { id: string; name: string; service: string },
    { service, isNew }: { service: Service; isNew: boolean },
  ): Promise<void> {
    const { engine, progress } = this.#context;
    progress.set({ kind: "Container", name: container.name, status: "Starting" });
    if (!isNew) await this.#run.onStarting?.(container);
    await engine.run({ method: "POST", path: `/containers/${container.id}/start` });
    await runHooks(this.#context, container, service.postStart);
    progress.set({ kind: "Container", name: container.name, status: "Started" });
    this.#run.onStarted?.({ ...container, isNew });
  }

  async #restart({ id, name, service }: ObservedContainer): Promise<void> {
    const { engine, progress } = this.#context;
    progress.set({ kind: "Container", name, status: "Restarting" });
    await engine.run({ method: "POST", path: `/containers/${id}/restart` });
    progress.set({ kind: "Container", name, status: "Started" });
    this.#run.onStarted?.({ id, name, service, isNew: false });
  }

  #peers(): Peers {
    return new Map(
      [...this.#containers].flatMap(([service, list]) => {
        const [first] = [...list].sort((a, b) => a.number - b.number);
        return first === undefined ? [] : [[service, first] as const];
      }),
    );
  }

  #remember(service: string, container: Running): void {
    this.#containers.set(service, [...(this.#containers.get(service) ?? []), container]);
  }

  #forget(service: string, id: string): void {
    this.#containers.set(
      service,
      (this.#containers.get(service) ?? []).filter((container) => container.id !== id),
    );
  }
}
