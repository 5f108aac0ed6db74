import type { RunSpec } from "@flotilla/api";
import { sizeToText } from "./format.ts";
import { joinWords } from "./shell-words.ts";

/** The `docker run` line that does the same as a spec: what the form shows to copy. */
export function dockerCommand(spec: RunSpec): string {
  return joinWords(["docker", "run", "-d", ...flags(spec), spec.image === "" ? "IMAGE" : spec.image, ...tail(spec)]);
}

/** What follows the image: a longer entrypoint's other words, then the command, as `docker run` can say it. */
function tail(spec: RunSpec): string[] {
  return [...(spec.entrypoint ?? []).slice(1), ...(spec.command ?? [])];
}

function flags(spec: RunSpec): string[] {
  return [
    ...option("--name", spec.name),
    ...option("--hostname", spec.hostname),
    ...switches(spec),
    ...spec.ports.flatMap((port) => ["-p", portText(port)]),
    ...spec.env.flatMap(({ name, value }) => ["-e", `${name}=${value}`]),
    ...spec.mounts.flatMap(mountFlags),
    ...restartFlags(spec.restart),
    ...option("--network", spec.network),
    ...option("--user", spec.user),
    ...option("--workdir", spec.workingDir),
    ...option("--entrypoint", spec.entrypoint?.[0]),
    ...option("--memory", spec.memoryBytes === undefined ? undefined : sizeToText(spec.memoryBytes)),
    ...option("--cpus", spec.cpus?.toString()),
    ...option("--pids-limit", spec.pidsLimit?.toString()),
    ...spec.capAdd.flatMap((name) => ["--cap-add", name]),
    ...spec.capDrop.flatMap((name) => ["--cap-drop", name]),
    ...spec.labels.flatMap(({ name, value }) => ["--label", `${name}=${value}`]),
    ...rareFlags(spec),
  ];
}

/** Flags that the form has no field for; a pasted line may bring them. */
function rareFlags(spec: RunSpec): string[] {
  const repeated = (name: string, values: readonly string[]): string[] => values.flatMap((value) => [name, value]);
  return [
    ...(spec.publishAll ? ["-P"] : []),
    ...option("--cpu-shares", spec.cpuShares?.toString()),
    ...option("--shm-size", spec.shmSizeBytes === undefined ? undefined : sizeToText(spec.shmSizeBytes)),
    ...repeated("--dns", spec.dns),
    ...repeated("--add-host", spec.extraHosts),
    ...repeated(
      "--device",
      spec.devices.map(({ hostPath, containerPath, permissions }) => `${hostPath}:${containerPath}:${permissions}`),
    ),
    ...repeated("--security-opt", spec.securityOpt),
    ...repeated(
      "--ulimit",
      spec.ulimits.map(({ name, soft, hard }) => `${name}=${soft}:${hard}`),
    ),
    ...option("--stop-signal", spec.stopSignal),
    ...option("--stop-timeout", spec.stopTimeoutSeconds?.toString()),
  ];
}

function option(name: string, value: string | undefined): string[] {
  return value === undefined || value === "" ? [] : [name, value];
}

function switches(spec: RunSpec): string[] {
  const all: [boolean, string][] = [
    [spec.interactive, "-i"],
    [spec.tty, "-t"],
    [spec.autoRemove, "--rm"],
    [spec.init, "--init"],
    [spec.readOnly, "--read-only"],
    [spec.privileged, "--privileged"],
  ];
  return all.filter(([isOn]) => isOn).map(([, name]) => name);
}

function portText({ hostIp, hostPort, containerPort, protocol }: RunSpec["ports"][number]): string {
  const address = hostIp === undefined || hostIp === "" ? "" : `${hostIp.includes(":") ? `[${hostIp}]` : hostIp}:`;
  const published = hostPort === undefined ? (address === "" ? "" : ":") : `${hostPort}:`;
  return `${address}${published}${containerPort}${protocol === "udp" ? "/udp" : ""}`;
}

function mountFlags({ kind, source, target, readOnly }: RunSpec["mounts"][number]): string[] {
  if (kind === "tmpfs") return ["--tmpfs", target];
  const from = source === undefined || source === "" ? "" : `${source}:`;
  return ["-v", `${from}${target}${readOnly ? ":ro" : ""}`];
}

function restartFlags({ name, maximumRetryCount }: RunSpec["restart"]): string[] {
  if (name === "no") return [];
  return ["--restart", name === "on-failure" && maximumRetryCount ? `${name}:${maximumRetryCount}` : name];
}
