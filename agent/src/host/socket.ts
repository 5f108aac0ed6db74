// Sockets that Node does not offer: netlink, and sockets that are bound and never listen. Synchronous, through libc.
import { closeSync } from "node:fs";
import { getSystemErrorName } from "node:util";
import { FlotillaError } from "@flotilla/core";
import koffi from "koffi";

const libc = koffi.load("libc.so.6");

const c = {
  socket: libc.func("int socket(int domain, int type, int protocol)"),
  bind: libc.func("int bind(int fd, const void *address, unsigned int length)"),
  listen: libc.func("int listen(int fd, int backlog)"),
  send: libc.func("int64_t send(int fd, const void *data, size_t length, int flags)"),
  recv: libc.func("int64_t recv(int fd, void *data, size_t length, int flags)"),
  setsockopt: libc.func("int setsockopt(int fd, int level, int name, const void *value, unsigned int length)"),
  ioctl: libc.func("int ioctl(int fd, unsigned long request, void *argument)"),
} as const;

/** Address families, types and options of socket(2), netlink(7) and ip(7) that this folder uses. */
export const AF = { UNSPEC: 0, INET: 2, INET6: 10, NETLINK: 16 } as const;
export const SOCK = { STREAM: 1, DGRAM: 2, RAW: 3, SEQPACKET: 5, CLOEXEC: 0o2000000 } as const;
export const SOL = { SOCKET: 1, IPV6: 41, NETLINK: 270 } as const;

function check(call: string, result: number): number {
  if (result >= 0) return result;
  const errno = getSystemErrorName(-koffi.errno());
  throw new FlotillaError("internal", `${call}: ${errno}`, { details: { errno } });
}

/** socket(2), close-on-exec. The caller closes the descriptor with {@link closeSocket}. */
export function openSocket(domain: number, type: number, protocol: number): number {
  return check("socket", c.socket(domain, type | SOCK.CLOEXEC, protocol) as number);
}

/** bind(2) to a packed sockaddr. @throws FlotillaError `internal` with `details.errno`. */
export function bindSocket(fd: number, address: Uint8Array): void {
  check("bind", c.bind(fd, address, address.length) as number);
}

/** listen(2) with the shortest queue. */
export function listenSocket(fd: number): void {
  check("listen", c.listen(fd, 0) as number);
}

/** setsockopt(2) with an int. */
export function setSocketOption(fd: number, option: { level: number; name: number }, value: number): void {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32LE(value);
  check("setsockopt", c.setsockopt(fd, option.level, option.name, buffer, buffer.length) as number);
}

/** send(2) of the whole buffer; sends of fewer bytes do not happen on the datagram sockets used here. */
export function sendSocket(fd: number, data: Uint8Array): void {
  check("send", Number(c.send(fd, data, data.length, 0)));
}

/** recv(2) into `buffer`; returns the bytes received. */
export function receiveSocket(fd: number, buffer: Uint8Array, flags = 0): number {
  return check("recv", Number(c.recv(fd, buffer, buffer.length, flags)));
}

export function closeSocket(fd: number): void {
  closeSync(fd);
}

const SIOCETHTOOL = 0x8946;
const IFREQ_BYTES = 40;
const IFNAMSIZ = 16;

/** ethtool's commands that take or give one number, on a link of the socket's network namespace. @throws FlotillaError as all here. */
export function controlLink(fd: number, { link, command, value = 0 }: { link: string; command: number; value?: number }): number {
  const number = Uint32Array.of(command, value);
  const request = Buffer.alloc(IFREQ_BYTES);
  request.write(link.slice(0, IFNAMSIZ - 1));
  request.writeBigUInt64LE(koffi.address(number), IFNAMSIZ);
  check(`ethtool ${link}`, Number(c.ioctl(fd, SIOCETHTOOL, request)));
  return number[1] ?? 0;
}
