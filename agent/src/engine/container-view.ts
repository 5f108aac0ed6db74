import { join } from "node:path";
import type { ContainerView } from "./containers-port.ts";
import { containerPaths, type EngineContext } from "./context.ts";
import type { ContainerRecord } from "./record.ts";

/** The read-only view of a record that the rest of the agent works with. */
export function viewOf(context: EngineContext, record: ContainerRecord): ContainerView {
  const paths = containerPaths(context.config, record.id);
  const runtime = context.machine?.runtime.paths;
  return {
    id: record.id,
    name: record.name,
    namespace: record.namespace,
    status: record.status,
    pid: record.pid,
    tty: record.config.Tty,
    openStdin: record.config.OpenStdin,
    stdinOnce: record.config.StdinOnce,
    config: record.config,
    hostConfig: record.hostConfig,
    image: record.config.Image,
    imageId: record.imageId,
    labels: record.config.Labels ?? {},
    createdAtMs: record.createdAtMs,
    startedAtMs: record.startedAtMs,
    exitCode: record.exitCode,
    bundleDir: paths.bundleDir,
    logPath: paths.logPath,
    attachSocketPath: join(paths.bundleDir, "attach"),
    controlFifoPath: join(paths.bundleDir, "ctl"),
    cgroupPath: record.cgroupPath,
    runtimePath: runtime?.runtimePath ?? "",
    runtimeRoot: runtime?.root ?? "",
    health: record.health ?? undefined,
  };
}
