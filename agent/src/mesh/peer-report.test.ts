import { expect, test } from "vitest";
import { PeerReports } from "./peer-report.ts";
import type { PeerView } from "./peer-watch.ts";

const view = (change: Partial<PeerView> = {}): PeerView => ({
  number: 2,
  state: "up",
  rttP50Micros: 2_000,
  rttLastMicros: 2_000,
  lossPerMille: 0,
  pathMtuBytes: 1500,
  ...change,
});
const after = (change: Partial<PeerView>, ms: number): unknown => {
  const reports = new PeerReports();
  reports.step([view()], 0);
  return reports.step([view(change)], ms);
};

test("the first report is told", () => expect(new PeerReports().step([view()], 0)).toEqual([view()]));
test("no peers are nothing to tell", () => expect(new PeerReports().step([], 0)).toBeUndefined());

test.each<[string, Partial<PeerView>]>([
  ["a peer that went", { state: "down" }],
  ["another path MTU", { pathMtuBytes: 1400 }],
  ["a port of VXLAN that is shut", { envelope: "down" }],
])("%s is told at once", (_what, change) => expect(after(change, 1)).toEqual([view(change)]));

test.each<[string, Partial<PeerView>]>([
  ["twice the latency", { rttP50Micros: 4_000 }],
  ["half the latency", { rttP50Micros: 900 }],
  ["loss", { lossPerMille: 17 }],
])("%s is told after a while", (_what, change) => {
  expect(after(change, 14_999)).toBeUndefined();
  expect(after(change, 15_000)).toEqual([view(change)]);
});

test.each<[string, Partial<PeerView>]>([
  ["a little latency", { rttP50Micros: 2_900 }],
  ["the last round trip alone", { rttLastMicros: 90_000 }],
])("%s is not told", (_what, change) => expect(after(change, 60_000)).toBeUndefined());

test("microseconds on a quick path are nothing", () => {
  const reports = new PeerReports();
  reports.step([view({ rttP50Micros: 100 })], 0);
  expect(reports.step([view({ rttP50Micros: 380 })], 60_000)).toBeUndefined();
});

test("one that changes leaves the others as they were told", () => {
  const reports = new PeerReports();
  reports.step([view(), view({ number: 3 })], 0);
  expect(reports.step([view({ rttP50Micros: 2_100 }), view({ number: 3, state: "down" })], 20_000)).toEqual([
    view(),
    view({ number: 3, state: "down" }),
  ]);
});

test("a peer that is no more is told once", () => {
  const reports = new PeerReports();
  reports.step([view(), view({ number: 3 })], 0);
  expect(reports.step([view()], 1)).toEqual([view()]);
  expect(reports.step([view()], 2)).toBeUndefined();
});
