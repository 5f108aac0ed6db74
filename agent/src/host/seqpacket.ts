// Client of a SOCK_SEQPACKET unix socket, which is what conmon's attach socket is. Node's `net` opens stream sockets only,
// though its pipe handle reads and writes any descriptor: one read is one packet and one write is one packet. So the
// socket is made through libc and handed to that handle. (The package node-unix-socket opens them too, but cannot pause
// reading: a client that reads slowly would fill our memory instead of stopping the container's output.)
import { closeSync, constants, fstatSync, openSync } from "node:fs";
import { Socket } from "node:net";
import { basename, dirname, join } from "node:path";
import { getSystemErrorName } from "node:util";
import { FlotillaError } from "@flotilla/core";
import koffi from "koffi";
import { closeSocket, openSocket, SOCK } from "./socket.ts";

const libc = koffi.load("libc.so.6");
const connectSocket = libc.func("int connect(int fd, const void *address, unsigned int length)");

const AF_UNIX = 1;
/** `sun_path` of sockaddr_un (unix(7)). */
const SUN_PATH_BYTES = 108;

type PipeHandle = { open(fd: number): number };
type PipeBinding = { Pipe: new (type: number) => PipeHandle };
const PIPE_TYPE_SOCKET = 0;

/**
 * Connects at once (unix sockets do not wait for an accept). Each `data` event is one packet; the socket can be paused,
 * and half-closed by `end()`. Writers must write one packet at a time and wait for its callback: two writes that wait
 * together leave as one packet.
 * @returns also the inode of this end, by which the kernel knows it (`unix-diag.ts`).
 * @throws FlotillaError `unavailable` when nothing listens there (any more).
 */
export function connectSeqpacket(path: string): { socket: Socket; inode: number } {
  const fd = openSocket(AF_UNIX, SOCK.SEQPACKET, 0);
  try {
    connectByDirectory(fd, path);
    const inode = fstatSync(fd).ino;
    return { socket: new Socket({ ...wrapDescriptor(fd), readable: true, writable: true, allowHalfOpen: true }), inode };
  } catch (error) {
    closeSocket(fd);
    throw error;
  }
}

/** The path may be longer than a socket address: it is given relative to a descriptor of its directory. */
function connectByDirectory(fd: number, path: string): void {
  const directory = openSync(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    const short = Buffer.from(join("/proc/self/fd", String(directory), basename(path)));
    if (short.length >= SUN_PATH_BYTES) throw new FlotillaError("invalid", `connect ${path}: the name of the socket is too long`);
    const address = Buffer.alloc(2 + short.length + 1);
    address.writeUInt16LE(AF_UNIX, 0);
    short.copy(address, 2);
    if (Number(connectSocket(fd, address, address.length)) >= 0) return;
    const errno = getSystemErrorName(-koffi.errno());
    throw new FlotillaError("unavailable", `connect ${path}: ${errno}`, { details: { errno } });
  } finally {
    closeSync(directory);
  }
}

/** Node's pipe handle around a descriptor, as a constructor option of net.Socket (which its types leave out). */
function wrapDescriptor(fd: number): object {
  const host = process as unknown as { binding(name: "pipe_wrap"): PipeBinding };
  const { Pipe } = host.binding("pipe_wrap");
  const handle = new Pipe(PIPE_TYPE_SOCKET);
  const result = handle.open(fd);
  if (result !== 0) throw new FlotillaError("internal", `open pipe handle: ${getSystemErrorName(result)}`);
  return { handle };
}
