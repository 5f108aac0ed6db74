import { expect, test } from "vitest";
import { formatStatus, humanDuration } from "./status-text.ts";

const S = 1000;
const M = 60 * S;
const H = 60 * M;
const D = 24 * H;

test.each([
  [0, "Less than a second"],
  [999, "Less than a second"],
  [S, "1 second"],
  [59 * S, "59 seconds"],
  [M, "About a minute"],
  [2 * M, "2 minutes"],
  [59 * M, "59 minutes"],
  [H, "About an hour"],
  [2 * H, "2 hours"],
  [47 * H, "47 hours"],
  [2 * D, "2 days"],
  [13 * D, "13 days"],
  [14 * D, "2 weeks"],
  [60 * D, "2 months"],
  [800 * D, "2 years"],
  [-5 * S, "Less than a second"],
])("%i ms read as %j", (ms, text) => {
  expect(humanDuration(ms)).toBe(text);
});

const facts = { startedAtMs: 10 * S, finishedAtMs: 20 * S, exitCode: 3, health: null };
const healthy = (Status: "starting" | "healthy" | "none") => ({ ...facts, health: { Status, FailingStreak: 0, Log: [] } });

test.each([
  [{ ...facts, status: "created" }, "Created"],
  [{ ...facts, status: "running" }, "Up 20 seconds"],
  [{ ...healthy("healthy"), status: "running" }, "Up 20 seconds (healthy)"],
  [{ ...healthy("starting"), status: "running" }, "Up 20 seconds (health: starting)"],
  [{ ...healthy("none"), status: "running" }, "Up 20 seconds"],
  [{ ...facts, status: "paused" }, "Up 20 seconds (Paused)"],
  [{ ...facts, status: "restarting" }, "Restarting (3) 10 seconds ago"],
  [{ ...facts, status: "exited" }, "Exited (3) 10 seconds ago"],
  [{ ...facts, status: "dead" }, "Dead"],
  [{ ...facts, status: "removing" }, "Removal In Progress"],
] as const)("%j shows as %j", (record, text) => {
  expect(formatStatus(record, 30 * S)).toBe(text);
});
