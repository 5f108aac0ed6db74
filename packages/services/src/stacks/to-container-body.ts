import { containerBodyOf, type Project } from "@flotilla/compose";
import { FlotillaError } from "@flotilla/core";
import type { ResourceBody } from "@flotilla/protocol";

/**
 * A service of a stack as the body of `POST /containers/create`, without image, networks, secrets and configs: its host adds those. Pure; equal services
 * give equal bodies, byte for byte. Ports of mode `ingress` belong to the service's address, not to its containers.
 * @throws not_found for a service that the project does not have.
 */
export function toContainerBody(project: Project, name: string): ResourceBody {
  const service = project.services[name];
  if (service === undefined) throw new FlotillaError("not_found", `no such service: ${name}`);
  const scene = { project, service, peers: new Map(), makesVolumes: true };
  const { HostConfig: host, ...body } = containerBodyOf({ ...scene, publishes: ({ mode }) => mode === "host" });
  const whole = { ...body, Labels: service.labels, HostConfig: { ...host, NetworkMode: service.networkMode } };
  // JSON without what is undefined.
  return JSON.parse(JSON.stringify(whole)) as ResourceBody;
}
