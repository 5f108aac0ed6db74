// What a host tells of its peers. Latency and loss never stand still, and each report is stored and composed on the other
// side: so they move in steps, and not often. Pure.
import type { PeerReport } from "@flotilla/protocol";
import type { PeerView } from "./peer-watch.ts";

/** Measurements are told anew at most this often; that a peer went or came, and its path's MTU, at once. */
const STEP_MS = 15_000;
/** Nobody decides by less. */
const RTT_STEP_MICROS = 300;
const LOSS_STEP_PER_MILLE = 30;

export class PeerReports {
  #told = new Map<number, { report: PeerReport; atMs: number }>();

  /** @returns all reports, by number of the peer; undefined when all are as they were. */
  step(views: readonly PeerView[], nowMs: number): PeerReport[] | undefined {
    const told = views.map((view) => {
      const before = this.#told.get(view.number);
      return before === undefined || isWorthTelling(before, view, nowMs) ? { report: { ...view }, atMs: nowMs } : before;
    });
    const isSame = told.length === this.#told.size && told.every((each) => this.#told.get(each.report.number) === each);
    this.#told = new Map(told.map((each) => [each.report.number, each]));
    return isSame ? undefined : told.map(({ report }) => report);
  }
}

function isWorthTelling(before: { report: PeerReport; atMs: number }, view: PeerView, nowMs: number): boolean {
  const { report } = before;
  if (report.state !== view.state || report.pathMtuBytes !== view.pathMtuBytes || report.envelope !== view.envelope) return true;
  return nowMs - before.atMs >= STEP_MS && (hasMoved(report.rttP50Micros, view.rttP50Micros) || hasLost(report, view));
}

/** By half and by something. */
function hasMoved(before: number | null, now: number | null): boolean {
  if (before === null || now === null) return before !== now;
  return Math.abs(now - before) > Math.max(RTT_STEP_MICROS, before / 2);
}

/** By something, or between some and none. */
function hasLost(before: PeerReport, now: PeerView): boolean {
  const isNone = (perMille: number): boolean => perMille === 0;
  return (
    Math.abs(now.lossPerMille - before.lossPerMille) >= LOSS_STEP_PER_MILLE || isNone(now.lossPerMille) !== isNone(before.lossPerMille)
  );
}
