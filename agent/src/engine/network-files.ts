import type { HostConfig } from "@flotilla/engine-api";
import { RESOLVER_ADDRESS } from "../dns/resolver-state.ts";
import { splitExtraHost } from "./validate-create.ts";

const HOSTS_HEAD: readonly string[] = [
  "127.0.0.1\tlocalhost",
  "::1\tlocalhost ip6-localhost ip6-loopback",
  "fe00::\tip6-localnet",
  "ff00::\tip6-mcastprefix",
  "ff02::1\tip6-allnodes",
  "ff02::2\tip6-allrouters",
];

export type HostsRequest = {
  hostname: string;
  domainname: string;
  /** Own addresses, one line each; none on the host's network. */
  addresses: readonly string[];
  extraHosts: readonly string[];
  /** What `host-gateway` stands for; undefined drops such entries. */
  gateway: string | undefined;
  /** Containers that it links to, on the default bridge. */
  links: readonly { address: string; names: readonly string[] }[];
};

/** Text of a container's /etc/hosts. */
export function formatHosts(request: HostsRequest): string {
  const names = request.domainname === "" ? request.hostname : `${request.hostname}.${request.domainname} ${request.hostname}`;
  const extra = request.extraHosts.flatMap((entry) => {
    const { name, address } = splitExtraHost(entry);
    const real = address === "host-gateway" ? request.gateway : address;
    return real === undefined ? [] : [`${real}\t${name}`];
  });
  const own = request.addresses.map((address) => `${address}\t${names}`);
  const links = request.links.map((link) => `${link.address}\t${link.names.join(" ")}`);
  return [...HOSTS_HEAD, ...extra, ...links, ...own, ""].join("\n");
}

type ResolvConf = { nameservers: readonly string[]; searches: readonly string[]; options: readonly string[] };

/**
 * Text of a container's /etc/resolv.conf: each of `--dns`, `--dns-search`, `--dns-option` replaces the host's list. A
 * container on networks with names asks 127.0.0.11 instead, which asks those resolvers; names of one part are asked as
 * they are, since containers have such names.
 */
export function formatResolvConf(
  host: ResolvConf,
  hostConfig: Pick<HostConfig, "Dns" | "DnsSearch" | "DnsOptions">,
  { hasNames }: { hasNames: boolean },
): string {
  const own = (mine: readonly string[] | null, theirs: readonly string[]): readonly string[] =>
    mine === null || mine.length === 0 ? theirs : mine;
  // `--dns-search .` means: search nowhere.
  const searches = own(hostConfig.DnsSearch, host.searches).filter((domain) => domain !== ".");
  const wanted = own(hostConfig.DnsOptions, host.options);
  const options = hasNames && !wanted.some((option) => option.startsWith("ndots:")) ? [...wanted, "ndots:0"] : wanted;
  const nameservers = hasNames ? [RESOLVER_ADDRESS] : own(hostConfig.Dns, host.nameservers);
  return [
    ...nameservers.map((address) => `nameserver ${address}`),
    ...(searches.length === 0 ? [] : [`search ${searches.join(" ")}`]),
    ...(options.length === 0 ? [] : [`options ${options.join(" ")}`]),
    "",
  ].join("\n");
}
