import type { Project, PublishedPort } from "../model.ts";
import type { CheckContext } from "./check-context.ts";
import { type Message, message } from "../message.ts";

type Claim = { service: string; hostIp: string };

/** A host port can belong to one container: two services, or two replicas of one, cannot both have it. */
export function checkPorts(project: Project, context: CheckContext): void {
  const claims = new Map<string, Claim[]>();
  for (const [service, { ports, deploy }] of Object.entries(project.services)) {
    for (const port of ports) {
      // Of a range the engine takes a free one.
      if (port.published === undefined || port.published === 0 || port.publishedEnd !== undefined) continue;
      claim(port, { service, claims, context });
      if (deploy.replicas > 1 && context.isOneHost)
        warn(context, service, message("port_of_many", { count: deploy.replicas, port: `${port.published}/${port.protocol}` }));
    }
  }
}

type Claiming = { service: string; claims: Map<string, Claim[]>; context: CheckContext };

function claim(port: PublishedPort, { service, claims, context }: Claiming): void {
  const key = `${port.published}/${port.protocol}`;
  const hostIp = port.hostIp ?? "0.0.0.0";
  const others = claims.get(key) ?? [];
  const other = others.find((taken) => taken.hostIp === hostIp || isWildcard(taken.hostIp) || isWildcard(hostIp));
  if (other !== undefined) {
    const path = `services.${service}.ports`;
    const said =
      other.service === service
        ? message("port_twice", { service, port: key })
        : message("port_of_both", { other: other.service, service, port: key });
    context.report(path, said);
  }
  claims.set(key, [...others, { service, hostIp }]);
}

const isWildcard = (address: string): boolean => address === "0.0.0.0" || address === "::";

function warn(context: CheckContext, service: string, said: Message): void {
  const path = `services.${service}.ports`;
  context.issues.warn(path, said, context.positionOf(path));
}
