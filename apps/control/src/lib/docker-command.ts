import { sizeToText } from "./format.ts";
import type { RunSpec } from "./run-spec.ts";
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
    ...Object.entries(spec.labels).flatMap(([name, value]) => ["--label", `${name}=${value}`]),
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
