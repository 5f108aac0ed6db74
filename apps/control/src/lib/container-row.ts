import { type ContainerAction, containerTone, exitCodeFromStatus, healthFromStatus, type Tone } from "./container-state.ts";

/** What lists need to know of a container: Docker's summary and where it is. */
export type ContainerSummary = {
  Id: string;
  Names: readonly string[];
  Image: string;
  ImageID?: string;
  State: string;
  Status: string;
  host: { id: string; name: string };
};

export function containerName(row: Pick<ContainerSummary, "Id" | "Names">): string {
  return row.Names[0]?.replace(/^\//, "") ?? row.Id.slice(0, 12);
}

export function containerHref(row: Pick<ContainerSummary, "Id" | "Names" | "host">): string {
  return `/containers/${encodeURIComponent(row.host.name)}/${encodeURIComponent(containerName(row))}`;
}

/** Unique over all hosts. */
export function containerKey(row: Pick<ContainerSummary, "Id" | "host">): string {
  return `${row.host.id}/${row.Id}`;
}

export function rowTone(row: Pick<ContainerSummary, "State" | "Status">): Tone {
  return containerTone({ state: row.State, health: healthFromStatus(row.Status), exitCode: exitCodeFromStatus(row.Status) });
}

export const STATE_FILTERS = ["all", "running", "attention", "stopped"] as const;
export type StateFilter = (typeof STATE_FILTERS)[number];

/** Whether a container is in the chosen state. `attention` is what is red or amber, whatever Docker calls it. */
export function isInState(row: Pick<ContainerSummary, "State" | "Status">, state: StateFilter): boolean {
  switch (state) {
    case "all":
      return true;
    case "running":
      return ["running", "paused", "restarting"].includes(row.State);
    case "stopped":
      return !["running", "paused", "restarting"].includes(row.State);
    case "attention":
      return ["bad", "warn"].includes(rowTone(row));
  }
}

/** What a filter looks through: name, image (its name or id), host, id and state. */
export function containerText(row: ContainerSummary): string {
  return `${row.Names.join(" ")} ${row.Image} ${row.ImageID ?? ""} ${row.host.name} ${row.Id} ${row.State}`;
}

/** Those of some containers to which an action can be done. */
export function eligible<Row extends Pick<ContainerSummary, "State">>(rows: readonly Row[], action: ContainerAction): Row[] {
  const isUp = (row: Row): boolean => ["running", "paused", "restarting"].includes(row.State);
  switch (action) {
    case "start":
      return rows.filter((row) => !isUp(row));
    case "pause":
      return rows.filter((row) => row.State === "running");
    case "unpause":
      return rows.filter((row) => row.State === "paused");
    case "restart":
      return rows.filter((row) => row.State === "running");
    case "stop":
    case "kill":
      return rows.filter(isUp);
  }
}
