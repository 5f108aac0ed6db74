export type SummaryPort = { IP?: string | undefined; PrivatePort: number; PublicPort?: number | undefined; Type: string };

/** `8080→80/tcp`, once for each pair: Docker lists a published port for IPv4 and for IPv6. Published ports come first. */
export function portLabels(ports: readonly SummaryPort[]): string[] {
  const label = (port: SummaryPort): string => {
    const target = `${port.PrivatePort}${port.Type === "tcp" ? "" : `/${port.Type}`}`;
    if (port.PublicPort === undefined) return target;
    const address = port.IP === undefined || isAnyAddress(port.IP) ? "" : `${port.IP}:`;
    return `${address}${port.PublicPort}→${target}`;
  };
  const published = ports.filter((port) => port.PublicPort !== undefined);
  const exposed = ports.filter((port) => port.PublicPort === undefined);
  const sorted = [...published, ...exposed.toSorted((a, b) => a.PrivatePort - b.PrivatePort)];
  return [...new Set(sorted.map(label))];
}

/** True for the wildcard addresses and for none. */
export function isAnyAddress(address: string): boolean {
  return ["", "0.0.0.0", "::", "[::]"].includes(address);
}

/**
 * Where a browser finds a published TCP port: on the bound address or, for the wildcard, on the host itself. A loopback binding is
 * only reachable on its own machine, so it has an address only when that is the machine the page came from.
 */
export function publishedUrl(binding: { address: string; port: string }, hostAddress: string): string | null {
  const isLoopback = (address: string): boolean => address === "localhost" || address === "::1" || address.startsWith("127.");
  if (isLoopback(binding.address) && !isLoopback(hostAddress)) return null;
  const address = isAnyAddress(binding.address) ? hostAddress : binding.address;
  if (address === "") return null;
  return `http://${address.includes(":") ? `[${address}]` : address}:${binding.port}`;
}
