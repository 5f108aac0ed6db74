import type { Service } from "@flotilla/compose";
import { type BodyInput, optional } from "./body-input.ts";
import { hostConfigOf } from "./host-config.ts";
import { LABEL, ONEOFF } from "./labels.ts";
import { networkingOf } from "./networking.ts";

const NANOS_PER_MS = 1_000_000;
const nanos = (ms: number | undefined): number | undefined => (ms === undefined ? undefined : Math.round(ms * NANOS_PER_MS));

/** Body of `POST /containers/create` for one container of a service. Pure. */
export function containerBody(input: BodyInput): Record<string, unknown> {
  const { service } = input;
  const health = service.healthcheck;
  const anonymous = service.volumes.filter(
    (mount) => mount.type === "volume" && mount.source === undefined && !input.inherited.has(mount.target),
  );
  return {
    Image: service.image,
    ...(service.command === undefined ? {} : { Cmd: service.command }),
    ...(service.entrypoint === undefined ? {} : { Entrypoint: service.entrypoint.length === 0 ? [""] : service.entrypoint }),
    Env: Object.entries(service.environment).map(([key, value]) => (value === null ? key : `${key}=${value}`)),
    Labels: labelsOf(input),
    ...optional("User", service.user),
    ...optional("WorkingDir", service.workingDir),
    ...optional("Hostname", service.hostname),
    ...optional("Domainname", service.domainname),
    Tty: service.tty,
    OpenStdin: service.stdinOpen,
    ...optional("StopSignal", service.stopSignal),
    ...(service.stopGracePeriodMs === undefined ? {} : { StopTimeout: Math.ceil(service.stopGracePeriodMs / 1000) }),
    ...optional("MacAddress", input.takesNetworks ? undefined : macAddress(service)),
    ExposedPorts: exposedPorts(service),
    Volumes: Object.fromEntries(anonymous.map(({ target }) => [target, {}])),
    ...(health === undefined
      ? {}
      : {
          Healthcheck: {
            ...optional("Test", health.test),
            ...optional("Interval", nanos(health.intervalMs)),
            ...optional("Timeout", nanos(health.timeoutMs)),
            ...optional("StartPeriod", nanos(health.startPeriodMs)),
            ...optional("StartInterval", nanos(health.startIntervalMs)),
            ...optional("Retries", health.retries),
          },
        }),
    HostConfig: hostConfigOf(input),
    ...networkingOf(input),
  };
}

const macAddress = (service: Service): string | undefined =>
  service.macAddress ?? Object.values(service.networks).find((attachment) => attachment.macAddress !== undefined)?.macAddress;

function exposedPorts(service: Service): Record<string, object> {
  const ports = [...service.expose, ...service.ports.map(({ target, protocol }) => `${target}/${protocol}`)];
  return Object.fromEntries(ports.map((port) => [port, {}]));
}

function labelsOf(input: BodyInput): Record<string, string> {
  const { service, project } = input;
  const dependencies = Object.entries(service.dependsOn).map(([name, { condition, restart }]) => `${name}:${condition}:${String(restart)}`);
  return {
    ...service.labels,
    [LABEL.project]: project.name,
    [LABEL.service]: input.serviceName,
    [LABEL.number]: String(input.number),
    [LABEL.oneoff]: input.isOneOff ? ONEOFF.yes : ONEOFF.no,
    [LABEL.configHash]: input.configHash,
    [LABEL.version]: input.version,
    [LABEL.workingDir]: input.workingDir,
    [LABEL.configFiles]: input.files.join(","),
    [LABEL.dependsOn]: dependencies.join(","),
    ...optional(LABEL.image, input.imageId),
    ...optional(LABEL.replace, input.replaces),
  };
}
