import { readFileSync } from "node:fs";

/** Docker's counters of one interface. */
export type InterfaceCounters = {
  rx_bytes: number;
  rx_packets: number;
  rx_errors: number;
  rx_dropped: number;
  tx_bytes: number;
  tx_packets: number;
  tx_errors: number;
  tx_dropped: number;
};

/** Counters of a process's network namespace by interface, without the loopback. Empty when the process has gone. */
export function readNetworkCounters(pid: number): Record<string, InterfaceCounters> {
  try {
    return parseNetDev(readFileSync(`/proc/${pid}/net/dev`, "utf8"));
  } catch {
    return {};
  }
}

/** /proc/PID/net/dev: two lines of titles, then `eth0: ` and eight received and eight sent counters. */
export function parseNetDev(text: string): Record<string, InterfaceCounters> {
  const entries = text.split("\n").flatMap((line): [string, InterfaceCounters][] => {
    const match = /^\s*(\S+):\s*(.*)$/.exec(line);
    const name = match?.[1];
    if (name === undefined || name === "lo") return [];
    const counters = (match?.[2] ?? "").trim().split(/\s+/).map(Number);
    const at = (index: number): number => counters[index] ?? 0;
    return [
      [
        name,
        {
          rx_bytes: at(0),
          rx_packets: at(1),
          rx_errors: at(2),
          rx_dropped: at(3),
          tx_bytes: at(8),
          tx_packets: at(9),
          tx_errors: at(10),
          tx_dropped: at(11),
        },
      ],
    ];
  });
  return Object.fromEntries(entries);
}
