import { dependencyOrder } from "@flotilla/compose";
import { FlotillaError } from "@flotilla/core";
import { removeContainer, stopContainer } from "../apply/containers.ts";
import { waitForExit, waitForHealth } from "../apply/wait.ts";
import { nameOf, serviceOf, toObserved } from "../engine/observe.ts";
import type { Session } from "../session.ts";
import { type Selection, selectContainers } from "./select.ts";

type Row = Selection["rows"][number];

/** Rows in groups that may be worked on at once, dependencies first. */
function inOrder({ rows, loaded }: Selection): Row[][] {
  const services = loaded?.project.services ?? {};
  const order = dependencyOrder(services);
  const groups = order.map((name) => rows.filter((row) => serviceOf(row) === name));
  return [...groups, rows.filter((row) => !order.includes(serviceOf(row)))].filter((group) => group.length > 0);
}

async function eachOf(session: Session, groups: readonly Row[][], work: (row: Row) => Promise<void>): Promise<void> {
  for (const group of groups) await Promise.all(group.map(work));
  session.progress.end();
}

function tell(session: Session, rows: readonly Row[]): number {
  if (session.isJson) session.result("", rows.map(nameOf));
  return 0;
}

/** Starts what has been made. @throws not_found when there is nothing. */
export async function start(session: Session, services: readonly string[], options: { wait?: boolean } = {}): Promise<number> {
  const selection = await selectContainers(session, services);
  if (selection.rows.length === 0) throw new FlotillaError("not_found", `no container found for project "${selection.name}": not found`);
  for (const group of inOrder(selection)) {
    await awaitConditions(session, selection, serviceOf(group[0] ?? { Labels: {} }));
    await Promise.all(group.map((row) => startOne(session, row)));
    if (options.wait === true) await Promise.all(group.map((row) => waitForHealth(session, { id: row.Id, name: nameOf(row) }, false)));
  }
  session.progress.end();
  return tell(session, selection.rows);
}

async function startOne({ engine, progress }: Session, row: Row): Promise<void> {
  if (row.State === "running") return;
  progress.set({ kind: "Container", name: nameOf(row), status: "Starting" });
  await engine.run({ method: "POST", path: `/containers/${row.Id}/start` });
  progress.set({ kind: "Container", name: nameOf(row), status: "Started" });
}

/** What a service waits for before it starts, of those that are started with it. */
async function awaitConditions(session: Session, { rows, loaded }: Selection, service: string): Promise<void> {
  for (const [other, { condition }] of Object.entries(loaded?.project.services[service]?.dependsOn ?? {})) {
    for (const row of rows.filter((candidate) => serviceOf(candidate) === other)) {
      if (condition === "service_healthy") await waitForHealth(session, { id: row.Id, name: nameOf(row) }, true);
      else if (condition === "service_completed_successfully") {
        const code = await waitForExit(session.engine, row.Id, session.signal);
        if (code !== 0)
          throw new FlotillaError("conflict", `service ${service}: container ${nameOf(row)} didn't complete successfully: exit ${code}`);
      }
    }
  }
}

export async function stop(session: Session, services: readonly string[], options: { timeout?: number }): Promise<number> {
  const selection = await selectContainers(session, services);
  const context = {
    engine: session.engine,
    progress: session.progress,
    ...(selection.loaded === undefined ? {} : { loaded: selection.loaded }),
  };
  const isStoppable = ({ State }: Row): boolean => State === "running" || State === "restarting" || State === "paused";
  const groups = inOrder(selection).reverse();
  await eachOf(session, groups, async (row) => {
    if (isStoppable(row)) await stopContainer(context, toObserved(row), { timeoutSeconds: options.timeout });
  });
  return tell(session, selection.rows);
}

export async function restart(
  session: Session,
  services: readonly string[],
  options: { timeout?: number; deps?: boolean },
): Promise<number> {
  const selection = await selectContainers(session, services);
  if (selection.rows.length === 0) throw new FlotillaError("not_found", `no container found for project "${selection.name}": not found`);
  await eachOf(session, inOrder(selection), async (row) => {
    session.progress.set({ kind: "Container", name: nameOf(row), status: "Restarting" });
    await session.engine.run({ method: "POST", path: `/containers/${row.Id}/restart`, query: { t: options.timeout } });
    session.progress.set({ kind: "Container", name: nameOf(row), status: "Started" });
  });
  return tell(session, selection.rows);
}

type Simple = { path: string; from: readonly string[]; doing: string; done: string; query?: Readonly<Record<string, string | undefined>> };

/** One call for each container that is in a state for it. */
async function simple(session: Session, services: readonly string[], { path, from, doing, done, query }: Simple): Promise<number> {
  const selection = await selectContainers(session, services);
  const rows = selection.rows.filter(({ State }) => from.includes(State));
  await eachOf(session, [rows], async (row) => {
    session.progress.set({ kind: "Container", name: nameOf(row), status: doing });
    await session.engine.run({ method: "POST", path: `/containers/${row.Id}/${path}`, query });
    session.progress.set({ kind: "Container", name: nameOf(row), status: done });
  });
  return tell(session, rows);
}

export const pause = (session: Session, services: readonly string[]): Promise<number> =>
  simple(session, services, { path: "pause", from: ["running"], doing: "Pausing", done: "Paused" });

export const unpause = (session: Session, services: readonly string[]): Promise<number> =>
  simple(session, services, { path: "unpause", from: ["paused"], doing: "Unpausing", done: "Unpaused" });

export const kill = (session: Session, services: readonly string[], options: { signal?: string }): Promise<number> =>
  simple(session, services, {
    path: "kill",
    from: ["running", "restarting", "paused"],
    doing: "Killing",
    done: "Killed",
    query: { signal: options.signal },
  });

export type RmOptions = { force?: boolean; stop?: boolean; volumes?: boolean };

/** Removes containers that have stopped; with `--stop` the others are stopped first. Asks on a terminal unless told not to. */
export async function rm(session: Session, services: readonly string[], options: RmOptions): Promise<number> {
  if (options.stop === true) await stop(session, services, {});
  const selection = await selectContainers(session, services);
  const rows = selection.rows.filter(({ State }) => State === "exited" || State === "created" || State === "dead");
  if (rows.length === 0) {
    session.progress.note("No stopped containers");
    return tell(session, []);
  }
  if (options.force !== true && !(await confirm(session, rows.map(nameOf)))) return 1;
  await eachOf(session, [rows], (row) => removeContainer(session, toObserved(row), { volumes: options.volumes === true }));
  return tell(session, rows);
}

async function confirm(session: Session, names: readonly string[]): Promise<boolean> {
  if (!process.stdin.isTTY) throw new FlotillaError("invalid", "use --force to remove containers without being asked");
  const { createInterface } = process.getBuiltinModule("node:readline/promises");
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test(await terminal.question(`Going to remove ${names.join(", ")}\nAre you sure? [yN] `));
  } finally {
    terminal.close();
    session.progress.end();
  }
}
