import { type Attachment, optional } from "@flotilla/compose";
import type { BodyInput } from "./body-input.ts";

/** Settings of one network's attachment, as `create` and `connect` take them. */
export type EndpointSettings = Record<string, unknown>;

/** Attachments by the networks' names, in order of connection. */
export function endpointsOf(input: BodyInput): Map<string, EndpointSettings> {
  const { service, project } = input;
  if (service.networkMode !== undefined) return new Map();
  return new Map(
    Object.entries(service.networks).map(([key, attachment], at) => [
      project.networks[key]?.name ?? key,
      endpoint(attachment, input, at === 0),
    ]),
  );
}

function endpoint(attachment: Attachment, input: BodyInput, isFirst: boolean): EndpointSettings {
  const { service, serviceName } = input;
  const links = [...service.links, ...service.externalLinks].map((link) => linkOf(link, input));
  // A one-off container is not reached by the service's names: it would take a part of the service's calls.
  const names = input.isOneOff && input.usesAliases !== true ? [] : [serviceName, ...attachment.aliases];
  return {
    Aliases: [...new Set(names)],
    Links: links,
    ...(attachment.ipv4Address === undefined && attachment.ipv6Address === undefined
      ? {}
      : { IPAMConfig: { ...optional("IPv4Address", attachment.ipv4Address), ...optional("IPv6Address", attachment.ipv6Address) } }),
    ...optional("MacAddress", attachment.macAddress ?? (isFirst ? service.macAddress : undefined)),
    ...(Object.keys(attachment.driverOpts).length === 0 ? {} : { DriverOpts: attachment.driverOpts }),
  };
}

/** `service[:alias]` as `container:alias`; of an external link the container has its own name. */
function linkOf(link: string, { peers }: BodyInput): string {
  const [target = "", alias = target] = link.split(":");
  return `${peers.get(target)?.name ?? target}:${alias}`;
}

/** The networks that `create` takes: all, or the first where the engine is older than API 1.44. */
export function networkingOf(input: BodyInput): Record<string, unknown> {
  const endpoints = [...endpointsOf(input)];
  const taken = input.takesNetworks ? endpoints : endpoints.slice(0, 1);
  return { NetworkingConfig: { EndpointsConfig: Object.fromEntries(taken) } };
}

/** Those that are connected after `create` and before the start. */
export function laterEndpoints(input: BodyInput): [string, EndpointSettings][] {
  return input.takesNetworks ? [] : [...endpointsOf(input)].slice(1);
}
