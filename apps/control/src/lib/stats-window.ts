/** One sample of a container's counters; network and disk count up since its start. */
export type StatsSample = {
  time: string;
  cpuPercent: number;
  memoryBytes: number;
  memoryLimitBytes: number;
  netRxBytes: number;
  netTxBytes: number;
  blockReadBytes: number;
  blockWriteBytes: number;
  pids: number;
};

/** A drawn point: counters have become bytes a second. `at` is in seconds since 1970, as uPlot wants it. */
export type StatsPoint = {
  at: number;
  cpuPercent: number;
  memoryBytes: number;
  rxPerSecond: number | null;
  txPerSecond: number | null;
  readPerSecond: number | null;
  writePerSecond: number | null;
};

export type StatsWindow = { points: readonly StatsPoint[]; last: StatsSample | null };

export const EMPTY_WINDOW: StatsWindow = { points: [], last: null };

/** Adds a sample and keeps the newest `limit` points. A counter that went back (a restart) gives no rate for that second. */
export function addSample(window: StatsWindow, sample: StatsSample, limit: number): StatsWindow {
  const at = Date.parse(sample.time) / 1000;
  const last = window.last;
  const seconds = last === null ? 0 : at - Date.parse(last.time) / 1000;
  const rate = (key: "netRxBytes" | "netTxBytes" | "blockReadBytes" | "blockWriteBytes"): number | null => {
    if (last === null || seconds <= 0 || sample[key] < last[key]) return null;
    return (sample[key] - last[key]) / seconds;
  };
  const point: StatsPoint = {
    at,
    cpuPercent: sample.cpuPercent,
    memoryBytes: sample.memoryBytes,
    rxPerSecond: rate("netRxBytes"),
    txPerSecond: rate("netTxBytes"),
    readPerSecond: rate("blockReadBytes"),
    writePerSecond: rate("blockWriteBytes"),
  };
  return { points: [...window.points, point].slice(-limit), last: sample };
}
