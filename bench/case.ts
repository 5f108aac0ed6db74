import type { TestAgent } from "../test/support/agent.ts";
import type { Peer } from "./dockerd.ts";

export type Engines = { dir: string; rounds: number; flotilla: TestAgent; dockerd: Peer };

/** One line of the table: medians, and Flotilla's part of dockerd's. */
export type Row = {
  name: string;
  unit: string;
  flotilla: number;
  dockerd: number | undefined;
  ratio: number | undefined;
  target: string;
  samples?: Record<string, number[]>;
};

export type Case = (engines: Engines) => Promise<Row[]>;
