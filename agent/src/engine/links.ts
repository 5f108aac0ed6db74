// `--link` on the default bridge, which has no names: lines in the hosts file and environment variables, as Docker has them.
// On networks with names a link is a name that only its container finds (agent/src/dns).
import { FlotillaError, isFlotillaError } from "@flotilla/core";
import type { EngineContext } from "./context.ts";
import { type ContainerRecord, isAlive } from "./record.ts";

export type Link = {
  /** The container that it leads to. */
  target: Pick<ContainerRecord, "id" | "name" | "config">;
  alias: string;
  /** On `bridge`. */
  address: string;
};

/**
 * `name:alias` as a user gives it, or `id:alias` as it is recorded; the alias is the name when none is given.
 * @throws FlotillaError `invalid`, in Docker's words.
 */
export function parseContainerLink(text: string): { target: string; alias: string } {
  const [target = "", alias = target, ...rest] = text.replace(/^\//, "").split(":");
  // What Docker's own inspect shows (`/db:/web/alias`) is taken back.
  const own = alias.slice(alias.lastIndexOf("/") + 1);
  if (target === "" || own === "" || rest.length > 0) throw new FlotillaError("invalid", `bad format for links: ${text}`);
  return { target, alias: own };
}

/** By id, so that a rename does not change who is meant. @throws invalid when the container is not there. */
export function recordLinks(context: EngineContext, namespace: string, links: readonly string[]): string[] {
  return links.map((text) => {
    const { target, alias } = parseContainerLink(text);
    return `${findTarget(context, namespace, target).id}:${alias}`;
  });
}

function findTarget(context: EngineContext, namespace: string, ref: string): ContainerRecord {
  try {
    return context.store.get(namespace, ref);
  } catch (error) {
    if (!isFlotillaError(error, "not_found")) throw error;
    throw new FlotillaError("invalid", `could not get container for ${ref}: No such container: ${ref}`, { cause: error });
  }
}

/** As inspect shows them. A container that is gone is not shown. */
export function showLinks(context: EngineContext, record: ContainerRecord): string[] | null {
  const links = (record.hostConfig.Links ?? []).flatMap((text) => {
    const { target, alias } = parseContainerLink(text);
    const linked = context.store.byId(target);
    return linked === undefined ? [] : [`/${linked.name}:/${record.name}/${alias}`];
  });
  return links.length === 0 ? null : links;
}

/** @throws invalid when a container that it links to does not run. */
export function findLinks(context: EngineContext, record: ContainerRecord): Link[] {
  return (record.hostConfig.Links ?? []).map((text) => {
    const { target, alias } = parseContainerLink(text);
    const linked = context.store.byId(target);
    const address = linked === undefined ? undefined : addressOf(linked);
    if (linked === undefined || address === undefined) {
      throw new FlotillaError("invalid", `Cannot link to a non running container: /${linked?.name ?? target} AS /${record.name}/${alias}`);
    }
    return { target: linked, alias, address };
  });
}

/** Those that run now: a hosts file that is written again must not fail because one of them has ended. */
export function findLiveLinks(context: EngineContext, record: ContainerRecord): Link[] {
  const links = (record.hostConfig.Links ?? []).filter((text) => {
    const linked = context.store.byId(parseContainerLink(text).target);
    return linked !== undefined && addressOf(linked) !== undefined;
  });
  return findLinks(context, { ...record, hostConfig: { ...record.hostConfig, Links: links } });
}

/** Running containers that link to this one: its address is in their hosts files. */
export const findLinkers = (context: EngineContext, id: string): ContainerRecord[] =>
  context.store
    .everything()
    .filter((record) => isAlive(record) && (record.hostConfig.Links ?? []).some((text) => text.startsWith(`${id}:`)));

const addressOf = (record: ContainerRecord): string | undefined =>
  isAlive(record) ? record.attachment?.endpoints.find(({ networkName }) => networkName === "bridge")?.ipv4Address : undefined;

/** Names of a line of the hosts file. */
export const linkNames = ({ target, alias }: Link): string[] => [...new Set([alias, target.config.Hostname, target.name])];

/** Variables that tell a container about one that it links to. @param name of the container that has the link. */
export function linkEnvironment(link: Link, name: string): string[] {
  const prefix = link.alias.replaceAll("-", "_").toUpperCase();
  const ports = Object.keys(link.target.config.ExposedPorts ?? {})
    .map((key) => ({ port: Number(key.split("/")[0]), protocol: key.split("/")[1] ?? "tcp" }))
    .sort((a, b) => a.port - b.port || a.protocol.localeCompare(b.protocol));
  const url = ({ port, protocol }: { port: number; protocol: string }): string => `${protocol}://${link.address}:${port}`;
  const [first] = ports;
  return [
    ...(first === undefined ? [] : [`${prefix}_PORT=${url(first)}`]),
    ...ports.flatMap((each) => {
      const key = `${prefix}_PORT_${each.port}_${each.protocol.toUpperCase()}`;
      return [`${key}=${url(each)}`, `${key}_ADDR=${link.address}`, `${key}_PORT=${each.port}`, `${key}_PROTO=${each.protocol}`];
    }),
    `${prefix}_NAME=/${name}/${link.alias}`,
    ...(link.target.config.Env ?? []).filter((entry) => !/^(HOME|PATH)=/.test(entry)).map((entry) => `${prefix}_ENV_${entry}`),
  ];
}
