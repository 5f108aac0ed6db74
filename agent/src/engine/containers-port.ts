// What the rest of the agent (API routes, exec, logs, attach, stats, health, archive) may ask of the container engine.
// Implemented by createEngine() in this folder. Docker's request and answer shapes are in @flotilla/engine-api.
import type { ContainerCreateBody, ContainerInspect, ContainerSummary, ContainerUpdateBody, Filters } from "@flotilla/engine-api";
import type { EndpointRequest } from "./ports.ts";
import type { Signal } from "./signals.ts";

export type ContainerStatus = "created" | "running" | "paused" | "restarting" | "exited" | "dead" | "removing";

/** A read-only view of one container, current at the time of the call. */
export type ContainerView = {
  id: string;
  /** Without the leading slash. */
  name: string;
  namespace: string;
  status: ContainerStatus;
  /** Host pid of the container's first process; 0 when it does not run. */
  pid: number;
  tty: boolean;
  openStdin: boolean;
  stdinOnce: boolean;
  /** The user's configuration, as Docker returns it in inspect. */
  config: ContainerInspect["Config"];
  hostConfig: ContainerInspect["HostConfig"];
  image: string;
  imageId: string;
  labels: Readonly<Record<string, string>>;
  createdAtMs: number;
  /** Zero when never started. Changes with each start: a follower of logs compares it. */
  startedAtMs: number;
  exitCode: number;
  /** OCI bundle directory (config.json inside); exists while the container runs. */
  bundleDir: string;
  /** conmon's k8s-file log; rotated ones have `.1`, `.2`, … behind it. Exists after the first start. */
  logPath: string;
  /** conmon's attach socket (SOCK_SEQPACKET) and control fifos; exist while the container runs. */
  attachSocketPath: string;
  /** Line "1 HEIGHT WIDTH\n" written to it resizes the terminal. */
  controlFifoPath: string;
  cgroupPath: string;
  runtimePath: string;
  runtimeRoot: string;
  health: HealthView | undefined;
};

export type HealthLogEntry = { Start: string; End: string; ExitCode: number; Output: string };
export type HealthView = { Status: "starting" | "healthy" | "unhealthy" | "none"; FailingStreak: number; Log: HealthLogEntry[] };

export type WaitCondition = "not-running" | "next-exit" | "removed";
export type WaitResult = { StatusCode: number; Error: { Message: string } | null };

/** Runs just before a start, when the container's stdio does not exist yet: how attach misses no byte. */
export type StartHook = (view: ContainerView) => Promise<void>;

export type Containers = {
  /** @param request `isExempt`: guard rails do not bind whoever asks, nor the container later. @throws forbidden. */
  create(request: {
    namespace: string;
    name: string | undefined;
    body: ContainerCreateBody;
    isExempt: boolean;
    /** Sources of binds that the engine itself made for this container: of its own, nobody asked for them. */
    ownSources?: readonly string[];
  }): Promise<{ Id: string; Warnings: string[] }>;
  /** @throws not_modified when it runs already. A failed start leaves `created` with ExitCode 126/127/128 and State.Error. */
  start(namespace: string, ref: string): Promise<void>;
  /** timeoutSeconds -1 waits for ever; undefined takes the container's own. @throws not_modified when it does not run. */
  stop(namespace: string, ref: string, options: { timeoutSeconds?: number; signal?: Signal }): Promise<void>;
  restart(namespace: string, ref: string, options: { timeoutSeconds?: number; signal?: Signal }): Promise<void>;
  kill(namespace: string, ref: string, signal: Signal): Promise<void>;
  pause(namespace: string, ref: string): Promise<void>;
  unpause(namespace: string, ref: string): Promise<void>;
  rename(namespace: string, ref: string, name: string): Promise<void>;
  /**
   * Gives a container more labels and takes its restart policy, `--rm` and the end of its anonymous volumes away: somebody else looks after it
   * from now on. @throws conflict while it is being removed.
   */
  adopt(namespace: string, ref: string, labels: Readonly<Record<string, string>>): Promise<void>;
  remove(namespace: string, ref: string, options: { force: boolean; volumes: boolean; link: boolean }): Promise<void>;
  /** @throws forbidden for what guard rails do not allow, unless `isExempt`. */
  update(namespace: string, ref: string, change: { body: ContainerUpdateBody; isExempt: boolean }): Promise<{ Warnings: string[] }>;
  /** Refuses those whom guard rails bind to act inside a container that they could not have made. @throws forbidden. */
  assertEnterable(namespace: string, ref: string, how: { isPrivileged: boolean }): void;
  /** One more network, now when it runs and at each later start. @throws forbidden when it is on it already. */
  connect(namespace: string, ref: string, endpoint: EndpointRequest): Promise<void>;
  /** @throws not_found when it is not on that network. */
  disconnect(namespace: string, ref: string, options: { networkName: string; force: boolean }): Promise<void>;
  /** The waiter is registered before this returns (the caller then flushes its headers); `done` settles later. */
  wait(namespace: string, ref: string, condition: WaitCondition, signal: AbortSignal): { done: Promise<WaitResult> };
  list(namespace: string, options: { all: boolean; limit: number; size: boolean; filters: Filters }): Promise<ContainerSummary[]>;
  inspect(namespace: string, ref: string, options: { size: boolean }): Promise<ContainerInspect>;
  prune(namespace: string, filters: Filters): Promise<{ ContainersDeleted: string[]; SpaceReclaimed: number }>;

  /** Name (with or without slash), id or unambiguous prefix. @throws not_found `No such container: x`, invalid when ambiguous. */
  get(namespace: string, ref: string): ContainerView;
  /** All containers of a namespace, or of all namespaces. */
  views(namespace?: string): ContainerView[];
  /** IPv4 addresses that containers of a namespace ask for in a network (`--ip`), whether they run or not. */
  requestedAddresses(namespace: string, networkName: string): Set<string>;
  /** Those of all namespaces that have a label, with this value if one is given; in no order. */
  labelled(label: string, value?: string): ContainerView[];
  /**
   * Attach needs to be there before the start: a hook runs when conmon has made the attach socket and before the
   * program's first instruction (between `crun create` and `crun start`). Returns a function that takes it away again.
   */
  onBeforeStart(containerId: string, hook: StartHook): () => void;
  /** A path of the container's whole tree (rootfs with volumes) for cp: /proc/PID/root, or a temporary mount; call `release` after. */
  openTree(namespace: string, ref: string): Promise<{ root: string; isReadOnly: boolean; release(): Promise<void> }>;
  /** A process is about to enter a container: the kernel is made ready for it. Only a hint, and free of effects. */
  expectProcess(): void;
  /** Path of the OCI runtime that was chosen on this machine. @throws unavailable before recover(). */
  runtimePath(): string;
  /** Stored with the container; publishes nothing. Used by the health monitor only. */
  setHealth(containerId: string, health: HealthView): void;

  /** Makes the limits of namespaces those of their guard rails now. @returns what the kernel would not, and why. */
  applyLimits(namespaces: readonly string[]): { namespace: string; message: string }[];

  /** Finishes or undoes what was cut off, adopts what runs, applies restart policies, removes orphans. Call once, before serving. */
  recover(): Promise<void>;
  /** Stops watching; containers run on. */
  close(): Promise<void>;
};
