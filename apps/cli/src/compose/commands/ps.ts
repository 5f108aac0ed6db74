import { FlotillaError } from "@flotilla/core";
import { z } from "zod";
import { LABEL, ONEOFF } from "../plan/labels.ts";
import { ContainerRow, nameOf, numberOf, serviceOf } from "../engine/observe.ts";
import type { Session } from "../session.ts";
import { ago, humanSize, portsText, table } from "../view/table.ts";
import { selectContainers } from "./select.ts";

export type PsOptions = {
  all?: boolean;
  quiet?: boolean;
  services?: boolean;
  format?: string;
  status?: string[];
  filter?: string;
  orphans?: boolean;
};

const STATES = ["created", "running", "paused", "restarting", "removing", "exited", "dead"];

/** The project's containers: running ones, or all. */
export async function ps(session: Session, services: readonly string[], options: PsOptions): Promise<number> {
  const statuses = [
    ...(options.status ?? []),
    ...(options.filter?.startsWith("status=") === true ? [options.filter.slice("status=".length)] : []),
  ];
  const unknown = statuses.find((status) => !STATES.includes(status));
  if (unknown !== undefined) throw new FlotillaError("invalid", `unknown status ${unknown}: one of ${STATES.join(", ")}`);
  checkFormat(options.format);
  const { rows } = await selectContainers(session, services);
  const wanted =
    statuses.length > 0 ? rows.filter(({ State }) => statuses.includes(State)) : options.all === true ? rows : rows.filter(isShown);
  if (options.quiet === true)
    session.result(
      wanted.map(({ Id }) => Id).join("\n"),
      wanted.map(({ Id }) => Id),
    );
  else if (options.services === true) session.result([...new Set(wanted.map(serviceOf))].join("\n"), [...new Set(wanted.map(serviceOf))]);
  else if (options.format === "json" && !session.isJson)
    session.result(wanted.map((row) => JSON.stringify(toDocument(row))).join("\n"), undefined);
  else session.result(psTable(wanted), wanted.map(toDocument));
  return 0;
}

const isShown = ({ State }: ContainerRow): boolean => State === "running" || State === "paused" || State === "restarting";

export function checkFormat(format: string | undefined): void {
  if (format !== undefined && format !== "json" && format !== "table")
    throw new FlotillaError("invalid", `--format must be table or json, not ${format}`);
}

function psTable(rows: readonly ContainerRow[]): string {
  const lines = rows.map((row) => [
    nameOf(row),
    row.Image,
    `"${row.Command.length > 20 ? `${row.Command.slice(0, 19)}…` : row.Command}"`,
    serviceOf(row),
    ago(Date.now() / 1000 - row.Created),
    row.Status,
    portsText(row.Ports),
  ]);
  return table(["NAME", "IMAGE", "COMMAND", "SERVICE", "CREATED", "STATUS", "PORTS"], lines);
}

/** As `docker compose ps --format json` names things. */
function toDocument(row: ContainerRow): Record<string, unknown> {
  const [, health = ""] = /\((healthy|unhealthy|health: starting)\)/.exec(row.Status) ?? [];
  const [, exitCode = "0"] = /^Exited \((\d+)\)/.exec(row.Status) ?? [];
  return {
    ID: row.Id,
    Name: nameOf(row),
    Image: row.Image,
    Command: row.Command,
    Project: row.Labels[LABEL.project] ?? "",
    Service: serviceOf(row),
    Number: numberOf(row),
    Created: row.Created,
    State: row.State,
    Status: row.Status,
    Health: health.replace("health: ", ""),
    ExitCode: Number(exitCode),
    Publishers: row.Ports.map(({ IP, PrivatePort, PublicPort, Type }) => ({
      URL: IP ?? "",
      TargetPort: PrivatePort,
      PublishedPort: PublicPort ?? 0,
      Protocol: Type,
    })),
  };
}

const ImageInfo = z.object({ Id: z.string(), RepoTags: z.array(z.string()).nullish(), Size: z.number().nullish() });

/** The images of the project's containers. */
export async function images(
  session: Session,
  services: readonly string[],
  options: { quiet?: boolean; format?: string },
): Promise<number> {
  checkFormat(options.format);
  const { rows } = await selectContainers(session, services);
  const list = await Promise.all(
    rows.map(async (row) => {
      const image = await session.engine.json(ImageInfo, { method: "GET", path: `/images/${row.ImageID}/json` });
      const [tag = "<none>:<none>"] = image.RepoTags ?? [];
      const at = tag.lastIndexOf(":");
      return { ContainerName: nameOf(row), Repository: tag.slice(0, at), Tag: tag.slice(at + 1), ID: image.Id, Size: image.Size ?? 0 };
    }),
  );
  if (options.quiet === true) session.result([...new Set(list.map(({ ID }) => ID))].join("\n"), [...new Set(list.map(({ ID }) => ID))]);
  else if (options.format === "json") session.result(JSON.stringify(list), list);
  else {
    const lines = list.map(({ ContainerName, Repository, Tag, ID, Size }) => [
      ContainerName,
      Repository,
      Tag,
      ID.replace("sha256:", "").slice(0, 12),
      humanSize(Size),
    ]);
    session.result(table(["CONTAINER", "REPOSITORY", "TAG", "IMAGE ID", "SIZE"], lines), list);
  }
  return 0;
}

/** All projects of the engine, whoever started them. */
export async function ls(session: Session, options: { all?: boolean; quiet?: boolean; format?: string }): Promise<number> {
  checkFormat(options.format);
  const query = { all: true, filters: JSON.stringify({ label: [LABEL.project] }) };
  const rows = await session.engine.json(z.array(ContainerRow), { method: "GET", path: "/containers/json", query });
  const projects = new Map<string, ContainerRow[]>();
  for (const row of rows) {
    const name = row.Labels[LABEL.project] ?? "";
    if (row.Labels[LABEL.oneoff] !== ONEOFF.yes) projects.set(name, [...(projects.get(name) ?? []), row]);
  }
  const list = [...projects]
    .filter(([, own]) => options.all === true || own.some(isShown))
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([Name, own]) => ({ Name, Status: statusText(own), ConfigFiles: own[0]?.Labels[LABEL.configFiles] ?? "" }));
  if (options.quiet === true)
    session.result(
      list.map(({ Name }) => Name).join("\n"),
      list.map(({ Name }) => Name),
    );
  else if (options.format === "json") session.result(JSON.stringify(list), list);
  else
    session.result(
      table(
        ["NAME", "STATUS", "CONFIG FILES"],
        list.map(({ Name, Status, ConfigFiles }) => [Name, Status, ConfigFiles]),
      ),
      list,
    );
  return 0;
}

/** `exited(1), running(2)`. */
function statusText(rows: readonly ContainerRow[]): string {
  const counts = new Map<string, number>();
  for (const { State } of rows) counts.set(State, (counts.get(State) ?? 0) + 1);
  return [...counts]
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([state, count]) => `${state}(${count})`)
    .join(", ");
}

const Top = z.object({ Titles: z.array(z.string()), Processes: z.array(z.array(z.string())).nullish() });

/** Processes of the running containers. */
export async function top(session: Session, services: readonly string[]): Promise<number> {
  const { rows } = await selectContainers(session, services);
  const running = rows.filter(({ State }) => State === "running");
  const list = await Promise.all(
    running.map(async (row) => ({
      name: nameOf(row),
      ...(await session.engine.json(Top, { method: "GET", path: `/containers/${row.Id}/top` })),
    })),
  );
  const text = list.map(({ name, Titles, Processes }) => `${name}\n${table(Titles, Processes ?? [])}\n`).join("\n");
  session.result(text, list);
  return 0;
}

export type PortOptions = { protocol?: string; index?: number };

/** Where a container's port is published. @throws not_found when it is not. */
export async function port(session: Session, [service, target]: [string, string], options: PortOptions): Promise<number> {
  const [, number, suffix] = /^(\d{1,5})(?:\/(\w+))?$/.exec(target) ?? [];
  if (number === undefined) throw new FlotillaError("invalid", `invalid port: ${target}`);
  const protocol = suffix ?? options.protocol ?? "tcp";
  const { rows } = await selectContainers(session, [service]);
  const row = options.index === undefined ? rows[0] : rows.find((candidate) => numberOf(candidate) === options.index);
  const found = row?.Ports.find(
    ({ PrivatePort, PublicPort, Type }) => PrivatePort === Number(number) && Type === protocol && PublicPort !== undefined,
  );
  if (row === undefined) throw new FlotillaError("not_found", `no container found for service "${service}"`);
  if (found === undefined)
    throw new FlotillaError("not_found", `no port ${number}/${protocol} for container ${nameOf(row)}: ${portsText(row.Ports)}`);
  session.result(`${found.IP ?? ""}:${found.PublicPort ?? ""}`, found);
  return 0;
}
