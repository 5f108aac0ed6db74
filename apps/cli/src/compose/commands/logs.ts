import { FlotillaError, toFlotillaError } from "@flotilla/core";
import { inspect } from "../apply/wait.ts";
import { nameOf, numberOf, type ContainerRow } from "../engine/observe.ts";
import { shortName } from "../plan/labels.ts";
import type { Session } from "../session.ts";
import { isMultiplexed, LogPrinter } from "../view/log-printer.ts";
import { selectContainers } from "./select.ts";

export type LogsOptions = {
  follow?: boolean;
  tail?: string;
  since?: string;
  until?: string;
  timestamps?: boolean;
  color?: boolean;
  logPrefix?: boolean;
  index?: number;
};

/** Logs of the project's containers: one after the other, or with `-f` all at once as they come. */
export async function logs(session: Session, services: readonly string[], options: LogsOptions): Promise<number> {
  if (options.tail !== undefined && options.tail !== "all" && !/^-?\d{1,9}$/.test(options.tail))
    throw new FlotillaError("invalid", `--tail must be a number or all, not ${options.tail}`);
  const selection = await selectContainers(session, services);
  const rows = options.index === undefined ? selection.rows : selection.rows.filter((row) => numberOf(row) === options.index);
  const { stdout, stderr } = session;
  const printer = new LogPrinter({
    prefix: options.logPrefix !== false,
    colour: options.color !== false && session.hasColour,
    stdout,
    stderr,
  });
  for (const row of rows) printer.register(shortName(selection.name, nameOf(row)));
  const print = (row: ContainerRow): Promise<void> =>
    printOne(session, row, { options, printer, name: shortName(selection.name, nameOf(row)) });
  if (options.follow === true) await untilInterrupted(session, () => Promise.all(rows.map(print)));
  else for (const row of rows) await print(row);
  return 0;
}

type Printing = { options: LogsOptions; printer: LogPrinter; name: string };

async function printOne(session: Session, row: ContainerRow, { options, printer, name }: Printing): Promise<void> {
  const { engine, signal } = session;
  try {
    const { Config } = await inspect(engine, row.Id);
    const query = {
      stdout: true,
      stderr: true,
      follow: options.follow === true,
      timestamps: options.timestamps === true,
      tail: options.tail === undefined || options.tail.startsWith("-") ? "all" : options.tail,
      since: toTime(options.since),
      until: toTime(options.until),
    };
    const response = await engine.stream({ method: "GET", path: `/containers/${row.Id}/logs`, query, signal });
    await printer.print(name, response, isMultiplexed(response, Config.Tty === true));
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** Ctrl-C ends the following, and nothing else. */
export async function untilInterrupted(session: Session, work: () => Promise<unknown>): Promise<void> {
  const stop = (): void => session.interrupt(new Error("interrupted"));
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, stop);
  try {
    await work();
  } catch (error) {
    if (!session.signal.aborted) throw toFlotillaError(error);
  }
}

/** A time (`2026-01-02T03:04:05`, seconds since the epoch) or an age (`10m`), as seconds since the epoch. @throws invalid. */
export function toTime(text: string | undefined, nowMs = Date.now()): string | undefined {
  if (text === undefined) return undefined;
  if (/^\d+(\.\d+)?$/.test(text)) return text;
  const age = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h))+$/.test(text) ? ageMs(text) : undefined;
  if (age !== undefined) return ((nowMs - age) / 1000).toFixed(3);
  const time = Date.parse(text);
  if (Number.isNaN(time))
    throw new FlotillaError("invalid", `invalid time ${text}: expected 2026-01-02T03:04:05Z, seconds, or an age like 10m`);
  return (time / 1000).toFixed(3);
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

const ageMs = (text: string): number =>
  [...text.matchAll(/([\d.]+)(ms|s|m|h)/g)].reduce((total, [, count, unit]) => total + Number(count) * (UNIT_MS[unit ?? ""] ?? 0), 0);
