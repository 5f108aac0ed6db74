import { isIPv4, isIPv6 } from "node:net";
import { FlotillaError } from "@flotilla/core";
import type { ContainerConfig, HostConfig } from "@flotilla/engine-api";
import type { PortBinding, PortProtocol } from "./ports.ts";

const PROTOCOLS: readonly PortProtocol[] = ["tcp", "udp", "sctp"];

/** Splits "80/tcp" ("80" is tcp). @throws invalid. */
export function parsePort(text: string): { port: number; protocol: PortProtocol } {
  const [number = "", name = "tcp", ...rest] = text.split("/");
  const protocol = PROTOCOLS.find((known) => known === name.toLowerCase());
  const port = parsePortNumber(number);
  if (protocol === undefined || port === undefined || port === 0 || rest.length > 0) {
    throw new FlotillaError("invalid", `invalid port specification: "${text}"`);
  }
  return { port, protocol };
}

function parsePortNumber(text: string): number | undefined {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : undefined;
  return port !== undefined && port <= 65_535 ? port : undefined;
}

/**
 * What `-p`, `-P` and EXPOSE ask for. A host port "" or "0" asks for any free one, "8000-8010" for the first free of a range.
 * @throws invalid for numbers, ranges, protocols or addresses that are none.
 */
export function planPorts(config: ContainerConfig, hostConfig: HostConfig): PortBinding[] {
  const planned = Object.entries(hostConfig.PortBindings).flatMap(([key, requests]) => {
    const { port, protocol } = parsePort(key);
    const wanted = requests === null || requests.length === 0 ? [{ HostIp: "", HostPort: "" }] : requests;
    return wanted.map((request) => ({
      containerPort: port,
      protocol,
      hostIp: parseHostIp(request.HostIp),
      ...parseRange(request.HostPort),
    }));
  });
  return hostConfig.PublishAllPorts ? [...planned, ...planExposed(config, planned)] : planned;
}

function planExposed(config: ContainerConfig, planned: readonly PortBinding[]): PortBinding[] {
  return Object.keys(config.ExposedPorts ?? {})
    .map(parsePort)
    .filter(({ port, protocol }) => !planned.some((binding) => binding.containerPort === port && binding.protocol === protocol))
    .map(({ port, protocol }) => ({ containerPort: port, protocol, hostIp: "", hostPort: 0 }));
}

function parseRange(text: string): { hostPort: number; hostPortEnd?: number } {
  const [low = "", high = low, ...rest] = text === "" ? ["0"] : text.split("-");
  const first = parsePortNumber(low);
  const last = parsePortNumber(high);
  if (first === undefined || last === undefined || rest.length > 0 || last < first) {
    throw new FlotillaError("invalid", `invalid port specification: "${text}"`);
  }
  return last === first ? { hostPort: first } : { hostPort: first, hostPortEnd: last };
}

function parseHostIp(text: string): string {
  if (text === "" || text === "0.0.0.0" || text === "::") return "";
  if (isIPv4(text) || isIPv6(text)) return text;
  throw new FlotillaError("invalid", `invalid IP address: ${text}`);
}
