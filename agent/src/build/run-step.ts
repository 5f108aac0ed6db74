// RUN: a container of the engine like any other, from the image that the stage is so far.
import { randomBytes } from "node:crypto";
import { PassThrough } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import { FlotillaError, isFlotillaError } from "@flotilla/core";
import type { RunStep } from "@flotilla/dockerfile";
import { ContainerCreateBody, STDCOPY, StdcopyDecoder } from "@flotilla/engine-api";
import { ConsoleSocket } from "../attach/console-socket.ts";
import { SIGKILL } from "../engine/signals.ts";
import type { BuildImage, BuildLayer } from "../storage/build-images.ts";
import type { StepScope } from "./build-job.ts";
import type { BuildSink } from "./build-types.ts";
import { commitRootfs } from "./make-layer.ts";
import { findMountPoints, removeMountPoints, type MountPoints } from "./mount-points.ts";
import { openRunMounts, type RunMounts } from "./run-mounts.ts";

/** Runs the step in a container and makes a layer of what it changed. @throws FlotillaError in Docker's words. */
export async function runStep(scope: StepScope, step: RunStep, image: BuildImage): Promise<BuildLayer> {
  const { job } = scope;
  if (step.security === "insecure") {
    throw new FlotillaError("forbidden", "RUN --security=insecure is refused: this host does not allow builds to leave their sandbox");
  }
  const mounts = await openRunMounts(scope, step);
  // For the layer: it starts while the step runs.
  job.deps.workers.prepare();
  const name = `build-${randomBytes(12).toString("hex")}`;
  const { containers, store } = job.deps;
  const { namespace } = job.request;
  // Before the container: whatever happens from here on, the next start knows what to remove.
  store.addContainer(name, namespace);
  let isKept = false;
  let containerId: string | undefined;
  try {
    const body = ContainerCreateBody.parse(bodyOf(scope, step, { image, mounts }));
    const ownSources = mounts.requests.flatMap(({ Source }) => (typeof Source === "string" ? [Source] : []));
    containerId = (await containers.create({ namespace, name, body, isExempt: job.request.isExempt, ownSources })).Id;
    await scope.sink({ kind: "running", containerId });
    const points = await pointsOf(scope, containerId, mounts);
    const exitCode = await runToEnd(scope, containerId);
    if (exitCode !== 0) {
      isKept = !job.request.removesFailedContainers && !job.request.removesContainers && !job.signal.aborted;
      throw nonZero(step, exitCode);
    }
    if (points.length > 0) {
      await job.deps.images.mount(containerId);
      removeMountPoints(points);
    }
    const layer = await commitRootfs(job, containerId, image.layers.at(-1)?.chainId ?? null);
    return layer;
  } finally {
    if (!isKept) await removeContainer(scope, containerId ?? name);
    store.removeContainer(name);
    await mounts.close();
    if (containerId !== undefined && !isKept) await scope.sink({ kind: "removed", containerId });
  }
}

async function pointsOf(scope: StepScope, containerId: string, mounts: RunMounts): Promise<MountPoints> {
  const root = await scope.job.deps.images.mount(containerId);
  return findMountPoints(root, mounts.targets);
}

async function removeContainer(scope: StepScope, ref: string): Promise<void> {
  const { containers } = scope.job.deps;
  try {
    await containers.remove(scope.job.request.namespace, ref, { force: true, volumes: true, link: false });
  } catch (error) {
    if (!isFlotillaError(error, "not_found")) throw error;
  }
}

async function runToEnd(scope: StepScope, id: string): Promise<number> {
  const { job } = scope;
  const { containers } = job.deps;
  const { namespace } = job.request;
  job.signal.throwIfAborted();
  let output: Promise<unknown> = Promise.resolve();
  const removeHook = containers.onBeforeStart(id, async (view) => {
    const console = new ConsoleSocket({ attachSocketPath: view.attachSocketPath, pid: view.pid, tty: view.tty, closesInputOnLeave: false });
    output = consoleOutput(console, scope.sink);
    await console.taken();
  });
  const ended = containers.wait(namespace, id, "next-exit", new AbortController().signal);
  // A cancelled build does not wait for its step.
  const kill = (): void => void containers.kill(namespace, id, SIGKILL).catch(() => undefined);
  try {
    await containers.start(namespace, id);
    job.signal.addEventListener("abort", kill, { once: true });
    if (job.signal.aborted) kill();
    const { StatusCode } = await ended.done;
    await output;
    job.signal.throwIfAborted();
    return StatusCode;
  } finally {
    removeHook();
    ended.done.catch(() => undefined);
    job.signal.removeEventListener("abort", kill);
  }
}

/** Hands the container's output on, as text, in the stream's own order and at the reader's pace. */
async function consoleOutput(console: ConsoleSocket, sink: BuildSink): Promise<void> {
  const frames = new PassThrough({ highWaterMark: 64 * 1024, writableObjectMode: false, readableObjectMode: false });
  const told = tellFrames(frames, sink);
  await console.pipeOutput(frames, { stdout: true, stderr: true });
  frames.end();
  await told;
  console.destroy();
}

async function tellFrames(frames: PassThrough, sink: BuildSink): Promise<void> {
  const decoder = new StdcopyDecoder();
  const texts = { stdout: new StringDecoder("utf8"), stderr: new StringDecoder("utf8") };
  for await (const chunk of frames as AsyncIterable<Buffer>) {
    for (const frame of decoder.push(chunk)) {
      const stream = frame.stream === STDCOPY.stderr ? "stderr" : "stdout";
      const text = texts[stream].write(Buffer.from(frame.payload));
      if (text !== "") await sink({ kind: "output", stream, text });
    }
  }
}

/** The body of a create: as `docker run` would send it. */
function bodyOf(scope: StepScope, step: RunStep, made: { image: BuildImage; mounts: RunMounts }): Record<string, unknown> {
  const { limits } = scope.job.request;
  const networkMode = step.network === "default" ? limits.networkMode : step.network;
  return {
    Image: made.image.id,
    Entrypoint: [...step.argv],
    Cmd: [],
    Env: [...step.env, ...step.proxyEnv],
    User: step.user,
    WorkingDir: step.workingDir,
    Healthcheck: { Test: ["NONE"] },
    HostConfig: {
      NetworkMode: networkMode,
      Memory: limits.memoryBytes,
      MemorySwap: limits.memorySwapBytes,
      CpuShares: limits.cpuShares,
      CpuPeriod: limits.cpuPeriodMicros,
      CpuQuota: limits.cpuQuotaMicros,
      CpusetCpus: limits.cpusetCpus,
      CpusetMems: limits.cpusetMems,
      CgroupParent: limits.cgroupParent,
      ShmSize: limits.shmBytes,
      Ulimits: [...limits.ulimits],
      ExtraHosts: [...limits.extraHosts],
      Mounts: made.mounts.requests,
    },
  };
}

function nonZero(step: RunStep, exitCode: number): FlotillaError {
  const message = `The command '${step.argv.join(" ")}' returned a non-zero code: ${exitCode}`;
  return new FlotillaError("invalid", message, { details: { exitCode } });
}
