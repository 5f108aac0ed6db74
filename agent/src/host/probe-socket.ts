// The UDP socket by which hosts probe each other: bound to one address, and nothing that it sends is ever divided on the way.
import { createSocket, type Socket } from "node:dgram";
import { isIPv6 } from "node:net";
import { openInetSocket } from "./inet-sockets.ts";
import { setSocketOption } from "./socket.ts";

export type ProbeSocket = {
  port: number;
  /** @param onTooLarge the link of this host does not carry it. Whatever else goes wrong is a packet that got lost. */
  send(datagram: Uint8Array, to: { address: string; port: number }, onTooLarge?: () => void): void;
  close(): void;
};

export type ProbeSocketOptions = {
  address: string;
  /** The one to have if nobody has it, else the kernel chooses. */
  preferredPort: number;
  onDatagram: (datagram: Buffer, from: { address: string; port: number }) => void;
};

/** ip(7), ipv6(7): set the don't-fragment bit and do not believe what was heard of the path: probes are how we hear of it. */
const IP_MTU_DISCOVER = { level: 0, name: 10 };
const IPV6_MTU_DISCOVER = { level: 41, name: 23 };
const IPV6_DONTFRAG = { level: 41, name: 62 };
const PMTUDISC_PROBE = 3;

/** @throws FlotillaError `internal` with `details.errno` when the address is not this host's. */
export async function openProbeSocket(options: ProbeSocketOptions): Promise<ProbeSocket> {
  const isV6 = isIPv6(options.address);
  const fd = openBound(options);
  if (isV6) {
    setSocketOption(fd, IPV6_MTU_DISCOVER, PMTUDISC_PROBE);
    setSocketOption(fd, IPV6_DONTFRAG, 1);
  } else setSocketOption(fd, IP_MTU_DISCOVER, PMTUDISC_PROBE);
  const socket = createSocket(isV6 ? "udp6" : "udp4");
  await new Promise<void>((resolve, reject) => {
    socket.once("error", reject);
    socket.bind({ fd }, resolve);
  });
  socket.removeAllListeners("error");
  // Errors of single packets come with their `send`; nothing else is worth ending the watch for.
  socket.on("error", () => undefined);
  socket.on("message", (datagram, { address, port }) => options.onDatagram(datagram, { address, port }));
  socket.unref();
  return toProbeSocket(socket);
}

function openBound({ address, preferredPort }: ProbeSocketOptions): number {
  const open = (port: number): number => openInetSocket({ type: "udp", address, port, netnsPath: undefined, isShared: false });
  try {
    return open(preferredPort);
  } catch {
    return open(0);
  }
}

function toProbeSocket(socket: Socket): ProbeSocket {
  let isClosed = false;
  return {
    port: socket.address().port,
    send: (datagram, to, onTooLarge) => {
      if (isClosed) return;
      socket.send(datagram, to.port, to.address, (error) => {
        if (error !== null && "code" in error && error.code === "EMSGSIZE") onTooLarge?.();
      });
    },
    close: () => {
      isClosed = true;
      socket.close();
    },
  };
}
