// A container as the service of a compose file that would make it. What the image says by itself is not repeated.
import { type Mount, Service } from "@flotilla/compose";
import { type ContainerInspect, HealthcheckConfig } from "@flotilla/engine-api";
import { z } from "zod";
import { orAbsent } from "../../engine/lenient.ts";
import { COMPOSE_LABELS } from "./compose-labels.ts";
import { readLimits, withoutDefaults } from "./read-host-config.ts";

const texts = orAbsent(z.array(z.string()));
/** What of an image ends up in its containers. */
export const adoptedImage = z.object({
  Config: orAbsent(
    z.object({
      User: orAbsent(z.string()),
      Env: texts,
      Cmd: texts,
      Entrypoint: texts,
      WorkingDir: orAbsent(z.string()),
      ExposedPorts: orAbsent(z.record(z.string(), z.unknown())),
      Labels: orAbsent(z.record(z.string(), z.string())),
      Healthcheck: orAbsent(HealthcheckConfig),
      StopSignal: orAbsent(z.string()),
    }),
  ),
});
type ImageConfig = NonNullable<z.output<typeof adoptedImage>["Config"]>;

export type Found = { inspect: ContainerInspect; image: ImageConfig };
/** Keys of the project by the names that its networks and volumes have. */
export type Names = {
  networkKey: (name: string) => string;
  /** undefined: a volume without a name, which each replica has of its own. */
  volumeKey: (name: string) => string | undefined;
};

const NANOS_PER_MS = 1_000_000;
const isEqual = (a: unknown, b: unknown): boolean => JSON.stringify(a ?? null) === JSON.stringify(b ?? null);
const unlessEmpty = <T>(value: T | undefined | null | "" | 0): T | undefined =>
  value === "" || value === 0 ? undefined : (value ?? undefined);

/** One container as a service with one replica. Values of its environment are in it. Pure. */
export function readService({ inspect, image }: Found, names: Names): Service {
  const { Config: config } = inspect;
  const limits = readLimits(withoutDefaults(inspect.HostConfig));
  return Service.parse({
    image: config.Image,
    ...readCommand(inspect, image),
    environment: readEnvironment(config.Env ?? [], image.Env ?? []),
    ...(config.User === (image.User ?? "") ? {} : { user: config.User }),
    ...(config.WorkingDir === (image.WorkingDir ?? "") ? {} : { workingDir: config.WorkingDir }),
    ...readNames(inspect),
    tty: config.Tty,
    stdinOpen: config.OpenStdin,
    stopSignal: config.StopSignal === image.StopSignal ? undefined : unlessEmpty(config.StopSignal),
    stopGracePeriodMs: config.StopTimeout === undefined ? undefined : config.StopTimeout * 1_000,
    healthcheck: readHealthcheck(config.Healthcheck, image.Healthcheck),
    labels: ownLabels(config.Labels ?? {}, image.Labels ?? {}),
    dependsOn: readDependencies(config.Labels?.[COMPOSE_LABELS.dependsOn] ?? ""),
    ...readNetworks(inspect, names),
    ...readPorts(inspect, image),
    volumes: readMounts(inspect, names),
    tmpfs: inspect.HostConfig.Tmpfs ?? {},
    restart: readRestart(inspect),
    ...limits.service,
    deploy: { resources: limits.resources },
  });
}

/** An own entry point drops the image's command, so both are said then. */
function readCommand({ Config: { Entrypoint: entrypoint, Cmd: command } }: ContainerInspect, image: ImageConfig): object {
  const isOwn = !isEqual(entrypoint ?? [], image.Entrypoint ?? []);
  if (isOwn) return { entrypoint: entrypoint ?? [], command: command ?? [] };
  return isEqual(command ?? [], image.Cmd ?? []) ? {} : { command: command ?? [] };
}

/** null: the image sets it and the container does not have it. */
export function readEnvironment(own: readonly string[], image: readonly string[]): Record<string, string | null> {
  const inherited = new Set(image);
  const nameOf = (entry: string): string => entry.split("=", 1)[0] ?? "";
  const there = new Set(own.map(nameOf));
  const unset = image.map(nameOf).filter((name) => !there.has(name));
  const given = own.filter((entry) => !inherited.has(entry) && nameOf(entry) !== "");
  return Object.fromEntries([
    ...given.map((entry) => [nameOf(entry), entry.includes("=") ? entry.slice(nameOf(entry).length + 1) : null] as const),
    ...unset.map((name) => [name, null] as const),
  ]);
}

/** The name that a container has by itself is not its own choice. */
function readNames({ Id: id, Config: { Hostname: hostname, Domainname: domainname }, HostConfig }: ContainerInspect): object {
  const isOwn = hostname !== "" && !id.startsWith(hostname) && HostConfig.NetworkMode !== "host" && HostConfig.UTSMode !== "host";
  return { ...(isOwn ? { hostname } : {}), domainname: unlessEmpty(domainname) };
}

function readHealthcheck(own: HealthcheckConfig | undefined, image: HealthcheckConfig | undefined): object | undefined {
  if (own === undefined || isEqual(own, image)) return undefined;
  const ms = (nanos: number | undefined): number | undefined => unlessEmpty(nanos === undefined ? undefined : nanos / NANOS_PER_MS);
  return {
    test: own.Test === undefined || own.Test.length === 0 ? undefined : own.Test,
    intervalMs: ms(own.Interval),
    timeoutMs: ms(own.Timeout),
    startPeriodMs: ms(own.StartPeriod),
    startIntervalMs: ms(own.StartInterval),
    retries: unlessEmpty(own.Retries),
  };
}

function ownLabels(labels: Readonly<Record<string, string>>, image: Readonly<Record<string, string>>): Record<string, string> {
  const isOwn = ([key, value]: [string, string]): boolean =>
    !key.startsWith("com.docker.compose.") && !key.startsWith("io.flotilla.") && image[key] !== value;
  return Object.fromEntries(Object.entries(labels).filter(isOwn));
}

const CONDITIONS = ["service_started", "service_healthy", "service_completed_successfully"];

/** `db:service_healthy:false,cache:service_started:true`, as Compose writes it; version 1.29 does not. */
export function readDependencies(label: string): Record<string, object> {
  const entries = label.split(",").flatMap((text) => {
    const [name = "", condition = "service_started", restart = "false"] = text.split(":");
    return name === "" || !CONDITIONS.includes(condition) ? [] : [[name, { condition, restart: restart === "true" }] as const];
  });
  return Object.fromEntries(entries);
}

function readNetworks(inspect: ContainerInspect, { networkKey }: Names): object {
  const { NetworkMode: mode } = inspect.HostConfig;
  if (mode === "host" || mode === "none" || mode.startsWith("container:")) return { networkMode: mode };
  const name = inspect.Config.Labels?.[COMPOSE_LABELS.service] ?? "";
  const made = new Set([name, inspect.Name.replace(/^\//, ""), inspect.Id.slice(0, 12)]);
  const attachments = Object.entries(inspect.NetworkSettings.Networks).map(([network, { Aliases: aliases }]) => [
    networkKey(network),
    { aliases: [...new Set(aliases ?? [])].filter((alias) => !made.has(alias)) },
  ]);
  return attachments.length === 0 ? { networkMode: "none" } : { networks: Object.fromEntries(attachments) };
}

/** Each container publishes its ports on its own host. */
function readPorts({ Config, HostConfig }: ContainerInspect, image: ImageConfig): object {
  const published = Object.entries(HostConfig.PortBindings).flatMap(([port, bindings]) => {
    const [target = "", protocol = "tcp"] = port.split("/");
    return (bindings ?? []).map(({ HostIp: hostIp, HostPort: hostPort }) => {
      const [first = "", last] = hostPort.split("-");
      return {
        target: Number(target),
        protocol,
        mode: "host",
        ...(hostIp === "" ? {} : { hostIp }),
        ...(first === "" || first === "0" ? {} : { published: Number(first) }),
        ...(last === undefined ? {} : { publishedEnd: Number(last) }),
      };
    });
  });
  const known = new Set([...Object.keys(image.ExposedPorts ?? {}), ...Object.keys(HostConfig.PortBindings)]);
  return { ports: published, expose: Object.keys(Config.ExposedPorts ?? {}).filter((port) => !known.has(port)) };
}

/** What is mounted, as the engine found it: also what came from other containers, and volumes without a name. */
function readMounts({ Mounts, HostConfig }: ContainerInspect, { volumeKey }: Names): Mount[] {
  const requests = new Map((HostConfig.Mounts ?? []).map((request) => [request.Target, request]));
  const mounts = Mounts.flatMap(({ Type: type, Name: name, Source: source, Destination: target, RW, Propagation }): Mount[] => {
    const request = requests.get(target);
    if (type === "volume" && name !== undefined) {
      const { NoCopy: noCopy = false, Subpath: subpath } = request?.VolumeOptions ?? {};
      const mount = { type, source: volumeKey(name), target, isReadOnly: !RW, noCopy } as const;
      if (mount.source === undefined) return [{ type, target, isReadOnly: !RW, noCopy }];
      return [unlessEmpty(subpath) === undefined ? mount : { ...mount, subpath }];
    }
    if (type !== "bind") return [];
    const isUsual = Propagation === "" || Propagation === "rprivate";
    const mount = { type, source, target, isReadOnly: !RW, createHostPath: request === undefined } as const;
    return [isUsual ? mount : { ...mount, propagation: Propagation }];
  });
  const inMemory = [...requests.values()].flatMap(({ Type, Target: target, ReadOnly: isReadOnly, TmpfsOptions }): Mount[] =>
    Type === "tmpfs" ? [{ type: "tmpfs", target, isReadOnly, sizeBytes: TmpfsOptions?.SizeBytes, mode: TmpfsOptions?.Mode }] : [],
  );
  return [...mounts, ...inMemory];
}

function readRestart({ HostConfig: { RestartPolicy: policy } }: ContainerInspect): object {
  const name = ["always", "on-failure", "unless-stopped"].includes(policy.Name) ? policy.Name : "no";
  return { name, maximumRetryCount: name === "on-failure" ? policy.MaximumRetryCount : 0 };
}
