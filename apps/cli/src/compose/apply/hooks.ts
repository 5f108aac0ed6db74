import type { Service } from "@flotilla/compose";
import { FlotillaError } from "@flotilla/core";
import { z } from "zod";
import type { ApplyContext } from "./context.ts";

const Created = z.object({ Id: z.string() });
const Ended = z.object({ Running: z.boolean(), ExitCode: z.number().nullish() });

/** Runs `post_start` or `pre_stop` commands in a container, one after the other. @throws conflict when one fails. */
export async function runHooks(
  { engine }: Pick<ApplyContext, "engine" | "progress">,
  container: { id: string; name: string },
  hooks: Service["postStart"],
): Promise<void> {
  for (const hook of hooks) {
    const body = {
      Cmd: hook.command,
      AttachStdout: true,
      AttachStderr: true,
      Privileged: hook.isPrivileged,
      ...(hook.user === undefined ? {} : { User: hook.user }),
      ...(hook.workingDir === undefined ? {} : { WorkingDir: hook.workingDir }),
      Env: Object.entries(hook.environment).map(([key, value]) => (value === null ? key : `${key}=${value}`)),
    };
    const { Id } = await engine.json(Created, { method: "POST", path: `/containers/${container.id}/exec`, body });
    const output = await engine.stream({ method: "POST", path: `/exec/${Id}/start`, body: { Detach: false, Tty: false } });
    for await (const _ of output);
    const { ExitCode } = await engine.json(Ended, { method: "GET", path: `/exec/${Id}/json` });
    if ((ExitCode ?? 0) !== 0)
      throw new FlotillaError("conflict", `container ${container.name}: hook ${hook.command.join(" ")} exited with ${ExitCode ?? 0}`);
  }
}
