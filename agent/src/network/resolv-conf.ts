import { isIP } from "node:net";

/** What a container's /etc/resolv.conf says. */
export type ResolvConf = { nameservers: string[]; searches: string[]; options: string[] };

/** resolv.conf(5); the last `search` or `domain` wins, as the resolver has it. */
export function parseResolvConf(text: string): ResolvConf {
  const conf: ResolvConf = { nameservers: [], searches: [], options: [] };
  for (const line of text.split("\n")) {
    const [keyword, ...values] = line.trim().split(/\s+/);
    if (keyword === "nameserver" && values[0] !== undefined && isIP(values[0].replace(/%.*$/, "")) !== 0) conf.nameservers.push(values[0]);
    if (keyword === "search" || keyword === "domain") conf.searches = values;
    if (keyword === "options") conf.options.push(...values);
  }
  return conf;
}

/** Docker's choice when the host has no resolver that a container can reach. */
const PUBLIC_NAMESERVERS = ["8.8.8.8", "8.8.4.4"];

/**
 * A host's configuration made fit for a namespace of its own: loopback and link-local resolvers are the host's alone, and
 * containers have no IPv6.
 */
export function adaptResolvConf(conf: ResolvConf): ResolvConf {
  const nameservers = conf.nameservers.filter((address) => isIP(address) === 4 && !address.startsWith("127.") && address !== "0.0.0.0");
  return { ...conf, nameservers: nameservers.length > 0 ? nameservers : PUBLIC_NAMESERVERS };
}

/** Whether the host asks only systemd-resolved's stub: the real resolvers are then in a file of its own. */
export const isStubOnly = (conf: ResolvConf): boolean =>
  conf.nameservers.length > 0 && conf.nameservers.every((address) => address === "127.0.0.53");
