// A service as the body of `POST /containers/create`: the one place that knows which key of compose is which of Docker's. For one host and for
// many; names, image, labels, networks, restarts, secrets and configs are the caller's.
import type { Service } from "../model.ts";
import { type HostConfig, hostConfigOf } from "./host-config.ts";
import { optional } from "./optional.ts";
import type { ContainerScene } from "./scene.ts";

const NANOS_PER_MS = 1_000_000;
const nanos = (ms: number | undefined): number | undefined => (ms === undefined ? undefined : Math.round(ms * NANOS_PER_MS));

/** JSON; equal scenes give equal bytes. Pure. */
export function containerBodyOf(scene: ContainerScene): Record<string, unknown> & { HostConfig: HostConfig } {
  const { service } = scene;
  const anonymous = service.volumes.filter((mount) => mount.type === "volume" && mount.source === undefined);
  return {
    ...(service.command === undefined ? {} : { Cmd: service.command }),
    ...(service.entrypoint === undefined ? {} : { Entrypoint: service.entrypoint.length === 0 ? [""] : service.entrypoint }),
    Env: Object.entries(service.environment).map(([key, value]) => (value === null ? key : `${key}=${value}`)),
    ...optional("User", service.user),
    ...optional("WorkingDir", service.workingDir),
    ...optional("Hostname", service.hostname),
    ...optional("Domainname", service.domainname),
    Tty: service.tty,
    OpenStdin: service.stdinOpen,
    ...optional("StopSignal", service.stopSignal),
    ...(service.stopGracePeriodMs === undefined ? {} : { StopTimeout: Math.ceil(service.stopGracePeriodMs / 1000) }),
    ExposedPorts: exposedPorts(scene),
    Volumes: Object.fromEntries(anonymous.map(({ target }) => [target, {}])),
    ...healthcheckOf(service),
    HostConfig: hostConfigOf(scene),
  };
}

function healthcheckOf({ healthcheck: check }: Service): Record<string, unknown> {
  if (check === undefined) return {};
  return {
    Healthcheck: {
      ...optional("Test", check.test),
      ...optional("Interval", nanos(check.intervalMs)),
      ...optional("Timeout", nanos(check.timeoutMs)),
      ...optional("StartPeriod", nanos(check.startPeriodMs)),
      ...optional("StartInterval", nanos(check.startIntervalMs)),
      ...optional("Retries", check.retries),
    },
  };
}

function exposedPorts({ service, publishes }: ContainerScene): Record<string, object> {
  const published = service.ports.filter(publishes).map(({ target, protocol }) => `${target}/${protocol}`);
  const exposed = service.expose.map((port) => (port.includes("/") ? port : `${port}/tcp`));
  return Object.fromEntries([...exposed, ...published].map((port) => [port, {}]));
}
