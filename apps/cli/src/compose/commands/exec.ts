import { FlotillaError } from "@flotilla/core";
import { z } from "zod";
import { pause } from "../apply/wait.ts";
import type { Session } from "../session.ts";
import { interact } from "../view/interactive.ts";
import { selectOne } from "./select.ts";

export type ExecOptions = {
  detach?: boolean;
  env?: string[];
  index?: number;
  tty?: boolean;
  interactive?: boolean;
  privileged?: boolean;
  user?: string;
  workdir?: string;
};

const Created = z.object({ Id: z.string() });
const Ended = z.object({ Running: z.boolean(), ExitCode: z.number().nullish() });
const LOOK_MS = 20;

/** Runs a command in a running container of a service. @returns its exit code. */
export async function exec(session: Session, [service, ...command]: readonly string[], options: ExecOptions): Promise<number> {
  if (service === undefined || command.length === 0) throw new FlotillaError("invalid", "exec needs a service and a command");
  const row = await selectOne(session, service, options.index);
  const { engine } = session;
  const tty = options.tty !== false && options.detach !== true && process.stdin.isTTY && process.stdout.isTTY;
  const interactive = options.interactive !== false && options.detach !== true;
  const body = {
    Cmd: command,
    AttachStdin: interactive,
    AttachStdout: options.detach !== true,
    AttachStderr: options.detach !== true,
    Tty: tty,
    Env: environmentOf(options.env ?? [], session.environment),
    Privileged: options.privileged === true,
    ...(options.user === undefined ? {} : { User: options.user }),
    ...(options.workdir === undefined ? {} : { WorkingDir: options.workdir }),
  };
  const { Id } = await engine.json(Created, { method: "POST", path: `/containers/${row.Id}/exec`, body });
  if (options.detach === true) {
    await engine.run({ method: "POST", path: `/exec/${Id}/start`, body: { Detach: true, Tty: false } });
    return 0;
  }
  const connection = await engine.hijack({ method: "POST", path: `/exec/${Id}/start`, body: { Detach: false, Tty: tty } });
  await interact(connection, {
    tty,
    interactive,
    resize: (size) => engine.run({ method: "POST", path: `/exec/${Id}/resize`, query: size }),
  });
  return exitCodeOf(session, Id);
}

async function exitCodeOf(session: Session, id: string): Promise<number> {
  for (;;) {
    const { Running, ExitCode } = await session.engine.json(Ended, { method: "GET", path: `/exec/${id}/json` });
    if (!Running) return ExitCode ?? 0;
    await pause(LOOK_MS, session.signal);
  }
}

/** `A=1`, or `A` with the shell's value where it has one. */
export function environmentOf(entries: readonly string[], shell: Session["environment"]): string[] {
  return entries.flatMap((entry) => {
    if (entry.includes("=")) return [entry];
    const value = shell[entry];
    return value === undefined ? [] : [`${entry}=${value}`];
  });
}
