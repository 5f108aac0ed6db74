import type { ExecCreateBody } from "@flotilla/engine-api";
import type { ContainerView } from "../engine/containers-port.ts";
import type { ResolvedUser } from "../engine/resolve-user.ts";
import type { OciProcess } from "../runtime/oci-spec.ts";
import { planEnvironment } from "../runtime/spec-process.ts";
import type { TerminalSize } from "../host/pty-process.ts";

export type ExecProcessRequest = {
  /** The container's first process, from its OCI configuration: limits, capabilities and labels are taken over. */
  base: OciProcess;
  container: Pick<ContainerView, "id" | "config">;
  exec: ExecCreateBody;
  user: ResolvedUser;
  /** What a privileged program may have: the agent's own. */
  allCapabilities: readonly string[];
  size: TerminalSize | undefined;
};

/** The OCI process of an exec: the container's own with another program, user, directory and environment. */
export function planExecProcess(request: ExecProcessRequest): OciProcess {
  const { base, container, exec, user, size } = request;
  const bounding = exec.Privileged ? [...request.allCapabilities] : (base.capabilities?.bounding ?? []);
  // As for the container itself: a plain user's program has what the file grants it and nothing besides.
  const effective = user.uid === 0 ? bounding : [];
  const { consoleSize: _unused, ...rest } = base;
  return {
    ...rest,
    terminal: exec.Tty,
    ...(exec.Tty && size !== undefined ? { consoleSize: { height: size.rows, width: size.columns } } : {}),
    user: { uid: user.uid, gid: user.gid, ...(user.additionalGids.length === 0 ? {} : { additionalGids: user.additionalGids }) },
    args: [...(exec.Cmd ?? [])],
    env: planEnvironment({
      hostname: container.config.Hostname === "" ? container.id.slice(0, 12) : container.config.Hostname,
      home: user.home,
      isTty: exec.Tty,
      env: [...(container.config.Env ?? []), ...(exec.Env ?? [])],
    }),
    cwd: exec.WorkingDir === "" ? base.cwd : exec.WorkingDir,
    capabilities: { bounding, effective, permitted: effective },
  };
}
