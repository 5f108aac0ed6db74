// A published port must not be taken from a program that has it, nor by one later. So the port is really bound, by a
// socket that never accepts: packets to it are translated before they reach a socket.
import { isIPv6 } from "node:net";
import { FlotillaError } from "@flotilla/core";
import { packSocketAddress } from "./inet-sockets.ts";
import { errnoOf } from "./libc.ts";
import { AF, bindSocket, closeSocket, listenSocket, openSocket, setSocketOption, SOCK, SOL } from "./socket.ts";

/** `address` "0.0.0.0" is every IPv4 address, "::" every IPv6 one. */
export type HostPort = { address: string; port: number; protocol: "tcp" | "udp" | "sctp" };

/** Frees the port. Idempotent. */
export type PortReservation = { release(): void };

const SO_REUSEADDR = 2;
const IPV6_V6ONLY = 26;

/**
 * Binds the port exclusively. What only the remains of closed connections (TIME_WAIT) keep an exclusive bind from is
 * taken as a server would take it, by listening. SCTP is not bound: its module need not be there.
 * @throws FlotillaError `conflict` when a program has it; `invalid` when the address is not this machine's.
 */
export function reservePort(port: HostPort): PortReservation {
  if (port.protocol === "sctp") return { release: () => undefined };
  const fd = bindExclusively(port) ?? listenOverRemains(port);
  let isOpen = true;
  return {
    release: () => {
      if (isOpen) closeSocket(fd);
      isOpen = false;
    },
  };
}

/** Of the address' family alone. */
function openFor(port: HostPort): number {
  const isV6 = isIPv6(port.address);
  const fd = openSocket(isV6 ? AF.INET6 : AF.INET, port.protocol === "tcp" ? SOCK.STREAM : SOCK.DGRAM, 0);
  if (isV6) setSocketOption(fd, { level: SOL.IPV6, name: IPV6_V6ONLY }, 1);
  return fd;
}

function bindExclusively(port: HostPort): number | undefined {
  const fd = openFor(port);
  try {
    bindSocket(fd, packSocketAddress(port.address, port.port));
    return fd;
  } catch (error) {
    closeSocket(fd);
    if (errnoOf(error) === "EADDRINUSE" && port.protocol === "tcp") return undefined;
    throw explain(port, error);
  }
}

function listenOverRemains(port: HostPort): number {
  const fd = openFor(port);
  try {
    setSocketOption(fd, { level: SOL.SOCKET, name: SO_REUSEADDR }, 1);
    bindSocket(fd, packSocketAddress(port.address, port.port));
    listenSocket(fd);
    return fd;
  } catch (error) {
    closeSocket(fd);
    throw explain(port, error);
  }
}

/** Docker's words, which are those of Go's net package. */
function explain(port: HostPort, error: unknown): unknown {
  const isV6 = isIPv6(port.address);
  const where = `listen ${port.protocol}${isV6 ? 6 : 4} ${isV6 ? `[${port.address}]` : port.address}:${port.port}: bind`;
  if (errnoOf(error) === "EADDRINUSE") return new FlotillaError("conflict", `${where}: address already in use`, { cause: error });
  if (errnoOf(error) === "EADDRNOTAVAIL")
    return new FlotillaError("invalid", `${where}: cannot assign requested address`, { cause: error });
  return error;
}
