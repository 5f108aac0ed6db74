import type { LoadedProject } from "@flotilla/compose";
import { FlotillaError } from "@flotilla/core";
import { applyUp } from "../apply/apply-up.ts";
import { readFileContents } from "../apply/file-contents.ts";
import { ensureImages } from "../apply/images.ts";
import { waitForHealth } from "../apply/wait.ts";
import { observeProject } from "../engine/observe.ts";
import { configHash } from "../plan/config-hash.ts";
import { findOrphans, planUp, type UpPlan } from "../plan/plan-up.ts";
import type { Session } from "../session.ts";
import type { LogFollower } from "../view/log-follower.ts";

export type UpOptions = {
  detach?: boolean;
  build?: boolean | undefined;
  pull?: string;
  forceRecreate?: boolean;
  recreate?: boolean;
  deps?: boolean;
  start?: boolean;
  color?: boolean;
  logPrefix?: boolean;
  alwaysRecreateDeps?: boolean;
  renewAnonVolumes?: boolean;
  removeOrphans?: boolean;
  scale?: string[];
  abortOnContainerExit?: boolean;
  abortOnContainerFailure?: boolean;
  exitCodeFrom?: string;
  timeout?: number;
  wait?: boolean;
  waitTimeout?: number;
  timestamps?: boolean;
  quietPull?: boolean;
  attach?: string[];
  noAttach?: string[];
};

const PULLS = ["always", "missing", "never"] as const;

/** `up` and `create`: makes what is missing, replaces what has changed, starts it, and shows the logs unless detached. */
export async function up(session: Session, services: readonly string[], options: UpOptions): Promise<number> {
  checkOptions(options);
  const loaded = withScale(await session.load(services), options.scale ?? []);
  checkNames(loaded, options);
  const context = session.apply(loaded);
  const starts = options.start !== false;
  const contents = await readFileContents(loaded, session.environment);
  const prepared = await prepare(session, loaded, { services, options, starts, digests: contents.digests });
  const { plan, observed, imageIds } = prepared;
  if (session.options.dryRun === true) return tellPlan(session, plan);
  const isDetached = options.detach === true || options.wait === true || !starts;
  const follower = isDetached ? undefined : await openFollower(session, loaded, { ...options, services });
  const started: { id: string; name: string; service: string }[] = [];
  const interruptions = follower?.watchInterrupts(options.timeout);
  try {
    await applyUp(context, {
      plan,
      contents,
      imageIds,
      before: observed.containers,
      starts,
      renewAnonymousVolumes: options.renewAnonVolumes === true,
      stopTimeoutSeconds: options.timeout,
      onStarting: async (container) => follower?.listen(container),
      onStarted: (container) => {
        started.push(container);
        follower?.add(container);
      },
    });
    if (options.wait === true) await waitForAll(session, started, options.waitTimeout);
    session.progress.end();
    if (follower !== undefined) return await follower.follow();
    if (session.isJson) session.result("", describePlan(plan));
    return 0;
  } finally {
    interruptions?.();
    await follower?.close();
  }
}

/** Loaded only for the foreground. */
async function openFollower(
  session: Session,
  loaded: LoadedProject,
  options: UpOptions & { services: readonly string[] },
): Promise<LogFollower> {
  const { LogFollower } = await import("../view/log-follower.ts");
  return new LogFollower(session, loaded, options);
}

function checkOptions(options: UpOptions): void {
  const refuse = (message: string): never => {
    throw new FlotillaError("invalid", message);
  };
  if (options.forceRecreate === true && options.recreate === false) refuse("--force-recreate and --no-recreate are incompatible");
  const aborts = options.abortOnContainerExit === true || options.abortOnContainerFailure === true || options.exitCodeFrom !== undefined;
  if (options.detach === true && aborts)
    refuse("--detach cannot be combined with --abort-on-container-exit, --abort-on-container-failure or --exit-code-from");
  if (options.wait === true && aborts)
    refuse("--wait cannot be combined with --abort-on-container-exit, --abort-on-container-failure or --exit-code-from");
  if (options.pull !== undefined && !PULLS.some((pull) => pull === options.pull))
    refuse(`--pull must be one of ${PULLS.join(", ")}, not ${options.pull}`);
}

/** Services that options name: a misspelled one would never end, or show nothing. @throws not_found. */
function checkNames({ project }: LoadedProject, { exitCodeFrom, attach = [], noAttach = [] }: UpOptions): void {
  for (const name of [...(exitCodeFrom === undefined ? [] : [exitCodeFrom]), ...attach, ...noAttach])
    if (project.services[name] === undefined) throw new FlotillaError("not_found", `no such service: ${name}`);
}

/** `--scale web=3` over what the file says. */
function withScale(loaded: LoadedProject, scale: readonly string[]): LoadedProject {
  const services = { ...loaded.project.services };
  for (const entry of scale) {
    const [, name = "", count = ""] = /^([^=]+)=(\d{1,6})$/.exec(entry) ?? [];
    const service = services[name];
    if (name === "") throw new FlotillaError("invalid", `invalid --scale option "${entry}": should be SERVICE=NUM`);
    if (service === undefined) throw new FlotillaError("not_found", `no such service: ${name}`);
    if (service.containerName !== undefined && Number(count) > 1)
      throw new FlotillaError("invalid", `service ${name} cannot be scaled to ${count}: its container_name allows one container`);
    services[name] = { ...service, deploy: { ...service.deploy, replicas: Number(count) } };
  }
  return { ...loaded, project: { ...loaded.project, services } };
}

type Preparing = { services: readonly string[]; options: UpOptions; starts: boolean; digests: ReadonlyMap<string, string> };

async function prepare(session: Session, loaded: LoadedProject, { services, options, starts, digests }: Preparing) {
  const { project } = loaded;
  const planOptions = {
    services,
    noDeps: options.deps === false,
    forceRecreate: options.forceRecreate === true,
    noRecreate: options.recreate === false,
    alwaysRecreateDeps: options.alwaysRecreateDeps === true,
    removeOrphans: options.removeOrphans === true,
    starts,
  };
  const hashes = new Map(Object.entries(project.services).map(([name, service]) => [name, configHash(service, project, digests)]));
  const knownServices = new Set([...Object.keys(project.services), ...Object.keys(loaded.disabledServices)]);
  const names = planUp({
    project,
    observed: { containers: [], networks: new Set(), volumes: new Set() },
    options: planOptions,
    hashes,
    imageIds: new Map(),
    knownServices,
  });
  const wanted = names.services.map(({ service }) => service);
  const pull = PULLS.find((known) => known === options.pull);
  const [observed, imageIds] = await Promise.all([
    observeProject(session.engine, project.name),
    session.options.dryRun === true
      ? new Map<string, string>()
      : ensureImages(session.apply(loaded), wanted, {
          pull,
          build: options.build === true,
          noBuild: options.build === false,
          quiet: options.quietPull === true,
        }),
  ]);
  const plan = planUp({ project, observed, options: planOptions, hashes, imageIds, knownServices });
  const orphans = findOrphans({ observed, knownServices });
  if (orphans.length > 0 && options.removeOrphans !== true)
    session.warn(
      `Found orphan containers (${orphans.map(({ name }) => name).join(", ")}) for this project. If you removed or renamed this service in your compose file, you can run this command with the --remove-orphans flag to clean it up.`,
    );
  return { plan, observed, imageIds };
}

async function waitForAll(
  session: Session,
  containers: readonly { id: string; name: string }[],
  timeoutSeconds: number | undefined,
): Promise<void> {
  const limit = timeoutSeconds === undefined ? undefined : AbortSignal.timeout(timeoutSeconds * 1000);
  const signal = limit === undefined ? session.signal : AbortSignal.any([session.signal, limit]);
  const waiting = new Set(containers.map(({ name }) => name));
  const waits = containers.map(async (container) => {
    session.progress.set({ kind: "Container", name: container.name, status: "Waiting" });
    await waitForHealth({ engine: session.engine, signal }, container, false);
    waiting.delete(container.name);
    session.progress.set({ kind: "Container", name: container.name, status: "Healthy" });
  });
  try {
    await Promise.all(waits);
  } catch (error) {
    if (limit?.aborted !== true) throw error;
    throw new FlotillaError("conflict", `not healthy within ${timeoutSeconds} s: ${[...waiting].sort().join(", ")}`, { cause: error });
  }
}

type Described = { action: string; target: string; reason?: string };

/** The plan as one list of acts, for `--json` and `--dry-run`. */
function describePlan(plan: UpPlan): Described[] {
  return [
    ...plan.orphans.map(({ name }) => ({ action: "remove", target: name, reason: "its service is not in the file" })),
    ...plan.networks.map((key) => ({ action: "create network", target: key })),
    ...plan.volumes.map((key) => ({ action: "create volume", target: key })),
    ...plan.services.flatMap(({ steps }) =>
      steps.map((step) => ({
        action: step.kind,
        target: "container" in step ? step.container.name : step.name,
        ...("reason" in step ? { reason: step.reason } : {}),
      })),
    ),
  ];
}

function tellPlan(session: Session, plan: UpPlan): number {
  const acts = describePlan(plan);
  session.result(
    acts.map(({ action, target, reason }) => `${action} ${target}${reason === undefined ? "" : `: ${reason}`}`).join("\n"),
    acts,
  );
  return 0;
}
