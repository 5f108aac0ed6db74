import { containerBodyOf, ofPeer, optional, type Service } from "@flotilla/compose";
import type { BodyInput } from "./body-input.ts";
import { LABEL, ONEOFF } from "./labels.ts";
import { networkingOf } from "./networking.ts";

/** Body of `POST /containers/create` for one container of a service. Pure. */
export function containerBody(input: BodyInput): Record<string, unknown> {
  const { service, project, peers, inherited, boundFiles } = input;
  const { HostConfig: host, ...body } = containerBodyOf({ project, service, peers, publishes: () => true, makesVolumes: false });
  const anonymous = service.volumes.filter(
    (mount) => mount.type === "volume" && mount.source === undefined && !inherited.has(mount.target),
  );
  const binds = [...inherited].map(([target, name]) => `${name}:${target}`);
  const files = [...boundFiles].map(([target, source]) => ({ Type: "bind", Source: source, Target: target, ReadOnly: true }));
  return {
    ...body,
    Image: service.image,
    Labels: labelsOf(input),
    ...optional("MacAddress", input.takesNetworks ? undefined : macAddress(service)),
    Volumes: Object.fromEntries(anonymous.map(({ target }) => [target, {}])),
    HostConfig: {
      ...host,
      Binds: [...host.Binds, ...binds],
      Mounts: [...host.Mounts, ...files],
      NetworkMode: networkMode(input),
      RestartPolicy: restartPolicy(input),
    },
    ...networkingOf(input),
  };
}

const macAddress = (service: Service): string | undefined =>
  service.macAddress ?? Object.values(service.networks).find((attachment) => attachment.macAddress !== undefined)?.macAddress;

function networkMode({ service, project, peers }: BodyInput): string {
  const { networkMode: mode } = service;
  if (mode !== undefined) return ofPeer(mode, peers);
  const [first] = Object.keys(service.networks);
  return first === undefined ? "none" : (project.networks[first]?.name ?? "default");
}

/** `deploy.restart_policy` counts before `restart`; a job and a one-off container are not restarted. */
function restartPolicy({ service, isOneOff }: BodyInput): { Name: string; MaximumRetryCount: number } {
  const policy = service.deploy.restartPolicy;
  if (isOneOff) return { Name: "no", MaximumRetryCount: 0 };
  if (policy !== undefined) {
    if (policy.condition === "on-failure") return { Name: "on-failure", MaximumRetryCount: policy.maxAttempts ?? 0 };
    return { Name: policy.condition === "any" && !service.deploy.mode.endsWith("-job") ? "always" : "no", MaximumRetryCount: 0 };
  }
  return { Name: service.restart?.name ?? "no", MaximumRetryCount: service.restart?.maximumRetryCount ?? 0 };
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
