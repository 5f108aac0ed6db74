import { describe, expect, test } from "vitest";
import { CHAIN_START, type ChainPosition, checkSeals, sealHash, type SealRow } from "./check-seals.ts";

function chain(contents: readonly string[], start: ChainPosition = CHAIN_START): SealRow[] {
  let { hash: previous, seq } = start;
  return contents.map((content) => {
    seq += 1n;
    const hash = sealHash(previous, content);
    const row = { seq, rowId: `r${seq}`, content, previous, hash, current: content, isSuperseded: false };
    previous = hash;
    return row;
  });
}

const text = (outcome: string, action = "host.rename"): string => JSON.stringify({ id: "r", action, outcome, detail: {} });
const whole = chain([text("ok"), text("refused"), text("failed"), text("ok", "host.remove")]);
const broken = (index: number, change: Partial<SealRow>): SealRow[] => whole.map((row, at) => (at === index ? { ...row, ...change } : row));
const reasonOf = (rows: SealRow[]): unknown => checkSeals(CHAIN_START, rows).fault;

describe("checkSeals", () => {
  test("a whole chain ends at its last seal", () => {
    expect(checkSeals(CHAIN_START, whole)).toEqual({ position: { seq: 4n, hash: whole[3]?.hash }, fault: null });
    expect(checkSeals(CHAIN_START, [])).toEqual({ position: CHAIN_START, fault: null });
  });

  test("it goes on from where a page ended, and from where older rows were removed", () => {
    const first = checkSeals(CHAIN_START, whole.slice(0, 2));
    expect(checkSeals(first.position, whole.slice(2)).fault).toBeNull();
    expect(checkSeals(CHAIN_START, whole.slice(2)).fault).toEqual({ seq: "3", rowId: "r3", reason: "gap" });
  });

  test("a row that says something else now is named", () => {
    expect(reasonOf(broken(1, { current: text("ok") }))).toEqual({ seq: "2", rowId: "r2", reason: "changed" });
  });

  test("a row that is gone is named", () => {
    expect(reasonOf(broken(2, { current: null }))).toEqual({ seq: "3", rowId: "r3", reason: "missing" });
  });

  test("a changed text does not have its hash", () => {
    const forged = text("ok");
    expect(reasonOf(broken(1, { content: forged, current: forged }))).toMatchObject({ seq: "2", reason: "hash" });
  });

  test("a changed text with a hash of its own breaks the seal after it", () => {
    const forged = text("ok");
    const hash = sealHash(whole[1]?.previous ?? "", forged);
    expect(reasonOf(broken(1, { content: forged, current: forged, hash }))).toMatchObject({ seq: "3", reason: "chain" });
  });

  test("a seal that was taken out leaves its number", () => {
    expect(reasonOf(whole.toSpliced(1, 1))).toMatchObject({ seq: "3", reason: "gap" });
  });

  test("of a row that was sealed again only the end may differ", () => {
    const begun = (current: string): SealRow[] => chain([text("started")]).map((row) => ({ ...row, current, isSuperseded: true }));
    expect(reasonOf(begun(text("ok")))).toBeNull();
    expect(reasonOf(begun(text("ok", "host.remove")))).toMatchObject({ reason: "changed" });
  });
});
