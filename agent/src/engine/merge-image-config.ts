import type { ContainerConfig, HealthcheckConfig } from "@flotilla/engine-api";
import type { ImageRunConfig } from "./ports.ts";

/**
 * The container's configuration on top of the image's, by Docker's rules: an own Entrypoint drops the image's Cmd, an own
 * Cmd keeps the image's Entrypoint; variables, labels, ports and volumes are joined with the container's winning; an
 * entrypoint of one empty string means none at all.
 */
export function mergeImageConfig(own: ContainerConfig, image: ImageRunConfig): ContainerConfig {
  const ports = { ...image.ExposedPorts, ...own.ExposedPorts };
  const volumes = { ...image.Volumes, ...own.Volumes };
  const { Healthcheck: _health, ExposedPorts: _ports, StopSignal: _signal, Shell: _shell, ...rest } = own;
  const health = mergeHealthcheck(own.Healthcheck, image.Healthcheck);
  const stopSignal = own.StopSignal === undefined || own.StopSignal === "" ? image.StopSignal : own.StopSignal;
  const shell = own.Shell ?? image.Shell;
  return {
    ...rest,
    ...mergeCommand(own, image),
    User: own.User === "" ? (image.User ?? "") : own.User,
    WorkingDir: normaliseDirectory(own.WorkingDir === "" ? (image.WorkingDir ?? "") : own.WorkingDir),
    Env: mergeEnvironment(own.Env ?? [], image.Env ?? []),
    Labels: { ...image.Labels, ...own.Labels },
    Volumes: Object.keys(volumes).length === 0 ? null : volumes,
    ...(Object.keys(ports).length === 0 ? {} : { ExposedPorts: normalisePorts(ports) }),
    ...(health === undefined ? {} : { Healthcheck: health }),
    ...(stopSignal === undefined || stopSignal === "" ? {} : { StopSignal: stopSignal }),
    ...(shell === undefined || shell.length === 0 ? {} : { Shell: shell }),
  };
}

type Command = Pick<ContainerConfig, "Entrypoint" | "Cmd">;

function mergeCommand(own: Command, image: ImageRunConfig): Command {
  const entrypoint = own.Entrypoint ?? [];
  const command = own.Cmd ?? [];
  if (entrypoint.length > 0) {
    return { Entrypoint: entrypoint.length === 1 && entrypoint[0] === "" ? null : entrypoint, Cmd: own.Cmd };
  }
  return {
    Entrypoint: image.Entrypoint == null || image.Entrypoint.length === 0 ? null : [...image.Entrypoint],
    Cmd: command.length > 0 ? command : image.Cmd == null ? null : [...image.Cmd],
  };
}

/** Program and arguments of the first process; undefined when neither image nor container names any. */
export function commandLine(command: Command): { path: string; args: string[] } | undefined {
  const [path, ...args] = [...(command.Entrypoint ?? []), ...(command.Cmd ?? [])];
  return path === undefined ? undefined : { path, args };
}

function mergeEnvironment(own: readonly string[], image: readonly string[]): string[] {
  const nameOf = (entry: string): string => entry.split("=", 1)[0] ?? "";
  const ownNames = new Set(own.map(nameOf));
  return [...own, ...image.filter((entry) => !ownNames.has(nameOf(entry)))];
}

function mergeHealthcheck(own: HealthcheckConfig | undefined, image: ImageRunConfig["Healthcheck"]): HealthcheckConfig | undefined {
  if (image === undefined) return own;
  if (own === undefined) return { ...image };
  const test = own.Test === undefined || own.Test.length === 0 ? image.Test : own.Test;
  const or = (mine: number | undefined, theirs: number | undefined): number | undefined =>
    mine === undefined || mine === 0 ? theirs : mine;
  return {
    ...(test === undefined ? {} : { Test: test }),
    Interval: or(own.Interval, image.Interval),
    Timeout: or(own.Timeout, image.Timeout),
    StartPeriod: or(own.StartPeriod, image.StartPeriod),
    StartInterval: or(own.StartInterval, image.StartInterval),
    Retries: or(own.Retries, image.Retries),
  };
}

function normalisePorts(ports: Record<string, Record<string, never>>): Record<string, Record<string, never>> {
  return Object.fromEntries(Object.keys(ports).map((key) => [key.includes("/") ? key : `${key}/tcp`, {}]));
}

/** "" stays empty; "/a//b/../c/" becomes "/a/c". */
function normaliseDirectory(path: string): string {
  if (path === "") return "";
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `${path.startsWith("/") ? "/" : ""}${parts.join("/")}`;
}
