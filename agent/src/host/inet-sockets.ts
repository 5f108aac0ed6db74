// Internet sockets in any network namespace, as descriptors that Node's dgram and net adopt. A socket stays for ever in the
// namespace that it was made in; only the making of it happens there.
import { isIPv6 } from "node:net";
import { packIp } from "./ip-bytes.ts";
import { inNetns } from "./netns.ts";
import { AF, bindSocket, closeSocket, openSocket, setSocketOption, SOCK, SOL } from "./socket.ts";

export type InetSocketWish = {
  type: "udp" | "tcp";
  /** Bound to this; port 0 is one that the kernel chooses by chance. */
  address: string;
  port: number;
  /** A namespace kept under a path; undefined is this process's. */
  netnsPath: string | undefined;
  /** Another process of this user may have the same address: they hand over to each other without a gap. */
  isShared: boolean;
};

const SO_REUSEADDR = 2;
const SO_REUSEPORT = 15;

/** The caller hands the descriptor to Node, which closes it. @throws FlotillaError `internal` with `details.errno`. */
export function openInetSocket(wish: InetSocketWish): number {
  const open = (): number => openSocket(isIPv6(wish.address) ? AF.INET6 : AF.INET, wish.type === "udp" ? SOCK.DGRAM : SOCK.STREAM, 0);
  const fd = wish.netnsPath === undefined ? open() : inNetns(wish.netnsPath, open);
  try {
    if (wish.isShared) setSocketOption(fd, { level: SOL.SOCKET, name: SO_REUSEPORT }, 1);
    if (wish.isShared && wish.type === "tcp") setSocketOption(fd, { level: SOL.SOCKET, name: SO_REUSEADDR }, 1);
    bindSocket(fd, packSocketAddress(wish.address, wish.port));
    return fd;
  } catch (error) {
    closeSocket(fd);
    throw error;
  }
}

/** struct sockaddr_in or sockaddr_in6 */
export function packSocketAddress(address: string, port: number): Buffer {
  const bytes = packIp(address);
  const isV6 = bytes.length === 16;
  const buffer = Buffer.alloc(isV6 ? 28 : 16);
  buffer.writeUInt16LE(isV6 ? AF.INET6 : AF.INET, 0);
  buffer.writeUInt16BE(port, 2);
  buffer.set(bytes, isV6 ? 8 : 4);
  return buffer;
}
