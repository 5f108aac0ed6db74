import { z } from "zod";
import { LABEL, type ObservedContainer, type ObservedProject, ONEOFF } from "../plan/labels.ts";
import { type EngineClient, filters } from "./client.ts";

const text = z
  .string()
  .nullish()
  .transform((value) => value ?? "");

/** What of a row of the engine's list is read here. */
export const ContainerRow = z.object({
  Id: z.string(),
  Names: z
    .array(z.string())
    .nullish()
    .transform((names) => names ?? []),
  Image: text,
  ImageID: text,
  Command: text,
  Created: z.number(),
  State: text,
  Status: text,
  Labels: z
    .record(z.string(), z.string())
    .nullish()
    .transform((labels) => labels ?? {}),
  Ports: z
    .array(z.object({ IP: z.string().optional(), PrivatePort: z.number(), PublicPort: z.number().optional(), Type: z.string() }))
    .nullish()
    .transform((ports) => ports ?? []),
});
export type ContainerRow = z.output<typeof ContainerRow>;

const NamedRow = z.object({ Name: z.string() });
const VolumeList = z.object({ Volumes: z.array(NamedRow).nullish() });

/** All containers of a project, also stopped and one-off ones, ordered by service and number. */
export async function listContainers(engine: EngineClient, project: string): Promise<ContainerRow[]> {
  const query = { all: true, filters: filters({ label: [`${LABEL.project}=${project}`] }) };
  const rows = await engine.json(z.array(ContainerRow), { method: "GET", path: "/containers/json", query });
  return rows.sort((a, b) => byName(serviceOf(a), serviceOf(b)) || numberOf(a) - numberOf(b));
}

/** Not by a locale's order: it would not be the same everywhere, and its tables take 9 ms to load. */
export const byName = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

export const nameOf = (row: Pick<ContainerRow, "Names">): string => (row.Names[0] ?? "").replace(/^\//, "");
export const serviceOf = (row: Pick<ContainerRow, "Labels">): string => row.Labels[LABEL.service] ?? "";
export const numberOf = (row: Pick<ContainerRow, "Labels">): number => Number(row.Labels[LABEL.number] ?? 0) || 0;
export const isOneOff = (row: Pick<ContainerRow, "Labels">): boolean => row.Labels[LABEL.oneoff] === ONEOFF.yes;

export function toObserved(row: ContainerRow): ObservedContainer {
  return {
    id: row.Id,
    name: nameOf(row),
    service: serviceOf(row),
    number: numberOf(row),
    isOneOff: isOneOff(row),
    state: row.State,
    configHash: row.Labels[LABEL.configHash],
    imageId: row.ImageID,
    replaces: row.Labels[LABEL.replace],
  };
}

/** What exists of a project: three calls at once. */
export async function observeProject(engine: EngineClient, project: string): Promise<ObservedProject> {
  const [rows, networks, volumes] = await Promise.all([
    listContainers(engine, project),
    engine.json(z.array(NamedRow), { method: "GET", path: "/networks" }),
    engine.json(VolumeList, { method: "GET", path: "/volumes" }),
  ]);
  return {
    containers: rows.map(toObserved),
    networks: new Set(networks.map(({ Name }) => Name)),
    volumes: new Set((volumes.Volumes ?? []).map(({ Name }) => Name)),
  };
}

const LabelledRow = z.object({ Name: z.string(), Labels: z.record(z.string(), z.string()).nullish() });

/** Names of networks (or volumes) that carry a project's label. */
export async function listLabelled(engine: EngineClient, kind: "networks" | "volumes", project: string): Promise<string[]> {
  const call = { method: "GET", path: `/${kind}`, query: { filters: filters({ label: [`${LABEL.project}=${project}`] }) } } as const;
  const rows =
    kind === "networks"
      ? await engine.json(z.array(LabelledRow), call)
      : ((await engine.json(z.object({ Volumes: z.array(LabelledRow).nullish() }), call)).Volumes ?? []);
  return rows.filter(({ Labels }) => Labels?.[LABEL.project] === project).map(({ Name }) => Name);
}
