// What a process's network namespace listens on, from /proc/PID/net/{tcp,tcp6,udp,udp6} (proc_net(5)). Pure.
import { unpackIp } from "../host/ip-bytes.ts";

export type ListeningSocket = { address: string; port: number };

const LISTEN = "0A";
/** An unconnected UDP socket: it takes what comes. */
const UNCONNECTED = "07";

/** @param text of one of the files. */
export function parseListening(text: string, protocol: "tcp" | "udp"): ListeningSocket[] {
  const wanted = protocol === "tcp" ? LISTEN : UNCONNECTED;
  return text.split("\n").flatMap((line): ListeningSocket[] => {
    const [, , local = "", , state] = /^(\s*)(\d+):\s+([0-9A-F]+:[0-9A-F]{4})\s+(\S+)\s+([0-9A-F]{2})\s/.exec(line)?.slice(1) ?? [];
    const [digits = "", port = ""] = local.split(":");
    if (state !== wanted || (digits.length !== 8 && digits.length !== 32)) return [];
    return [{ address: parseAddress(digits), port: Number.parseInt(port, 16) }];
  });
}

/** Words of 32 bits in the machine's order: little-endian on every platform we run on. */
function parseAddress(digits: string): string {
  const bytes = Buffer.from(digits, "hex");
  return unpackIp(bytes.swap32());
}

/** Whether one of them takes what is sent to an address. An IPv6 wildcard takes IPv4 too, as Linux has it by default. */
export function listensAt(sockets: readonly ListeningSocket[], at: ListeningSocket): "here" | "elsewhere" | "nowhere" {
  const ofPort = sockets.filter(({ port }) => port === at.port);
  if (ofPort.some(({ address }) => [at.address, "0.0.0.0", "::", `::ffff:${at.address}`].includes(address))) {
    const isOnlyV4 = at.address.includes(":") && ofPort.every(({ address }) => address === "0.0.0.0");
    return isOnlyV4 ? "elsewhere" : "here";
  }
  return ofPort.length > 0 ? "elsewhere" : "nowhere";
}
