import { z } from "zod";
import { flag, integer, orAbsent, orNull, strings, stringSlice, text } from "./json.ts";

/** [height, width] of a terminal. */
const ConsoleSize = orAbsent(z.tuple([z.int(), z.int()]));

/** Body of `POST /containers/{id}/exec`. */
export const ExecCreateBody = z.object({
  AttachStdin: flag,
  AttachStdout: flag,
  AttachStderr: flag,
  DetachKeys: text,
  Tty: flag,
  ConsoleSize,
  Env: strings,
  Cmd: orNull(stringSlice),
  Privileged: flag,
  User: text,
  WorkingDir: text,
});
export type ExecCreateBody = z.output<typeof ExecCreateBody>;

/** Body of `POST /exec/{id}/start`. */
export const ExecStartBody = z.object({ Detach: flag, Tty: flag, ConsoleSize });
export type ExecStartBody = z.output<typeof ExecStartBody>;

/** Answer of `GET /exec/{id}/json`. ExitCode is null until the program has ended; Pid is the host's. */
export const ExecInspect = z.object({
  ID: z.string(),
  Running: flag,
  ExitCode: orNull(z.int()),
  ProcessConfig: z.object({
    tty: flag,
    entrypoint: text,
    arguments: strings,
    privileged: orAbsent(z.boolean()),
    user: orAbsent(z.string()),
  }),
  OpenStdin: flag,
  OpenStderr: flag,
  OpenStdout: flag,
  CanRemove: flag,
  ContainerID: text,
  DetachKeys: text,
  Pid: integer,
});
export type ExecInspect = z.output<typeof ExecInspect>;
