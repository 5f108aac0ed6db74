import { describe, expect, test } from "vitest";
import { formatLoss, formatRtt, isTrouble, layOutMap, listTrouble, MAP, type MeshPair, PAIR_TONES, signOf } from "./mesh-view.ts";

const pair = (change: Partial<MeshPair> = {}): MeshPair => ({
  from: "a",
  to: "b",
  state: "up",
  isStale: false,
  rttP50Micros: 400,
  lossPerMille: 0,
  pathMtuBytes: 1500,
  isNarrow: false,
  isShut: false,
  ...change,
});

test.each([
  ["none", undefined],
  ["ok", pair()],
  ["ok", pair({ lossPerMille: 9 })],
  ["shut", pair({ isShut: true, lossPerMille: 10 })],
  ["lossy", pair({ lossPerMille: 10, isNarrow: true })],
  ["narrow", pair({ isNarrow: true, rttP50Micros: 90_000 })],
  ["slow", pair({ rttP50Micros: 50_000 })],
  ["down", pair({ state: "down", lossPerMille: 1000 })],
  ["unknown", pair({ state: "unknown" })],
  ["stale", pair({ state: "down", isStale: true })],
] as const)("%s", (sign, given) => expect(signOf(given)).toBe(sign));

test("only what somebody should look at is trouble, and has a colour that says so", () => {
  for (const [sign, tone] of Object.entries(PAIR_TONES)) {
    expect(isTrouble(sign as keyof typeof PAIR_TONES)).toBe(tone === "bad" || tone === "warn");
  }
});

test.each([
  [null, "–"],
  [0, "0.00 ms"],
  [412, "0.41 ms"],
  [2_345, "2.3 ms"],
  [12_600, "13 ms"],
  [1_234_000, "1.2 s"],
])("%s microseconds are %s", (micros, text) => expect(formatRtt(micros)).toBe(text));

test.each([[0, "0.0%"], [5, "0.5%"], [17, "2%"], [1000, "100%"]])("%i per mille is %s", (loss, text) => expect(formatLoss(loss)).toBe(text)); // prettier-ignore

describe("trouble", () => {
  const problem = { networkId: "n", network: "web", from: "a", to: "b", needsBytes: 1500, pathMtuBytes: 1404 };
  const list = (pairs: MeshPair[], mtuProblems = [] as (typeof problem)[]): string[] =>
    listTrouble({ pairs, mtuProblems }).map((each) =>
      each.kind === "network"
        ? `${each.network} ${each.pathMtuBytes}`
        : `${each.sign} ${each.from}${each.isBothWays ? "<>" : ">"}${each.to}`,
    );

  test("none", () => expect(list([pair(), pair({ state: "unknown" }), pair({ state: "down", isStale: true })])).toEqual([]));

  test("both ways of a pair are one matter, with the worse figures", () => {
    const pairs = [pair({ lossPerMille: 100 }), pair({ from: "b", to: "a", lossPerMille: 300 })];
    expect(list(pairs)).toEqual(["lossy a<>b"]);
    expect(listTrouble({ pairs, mtuProblems: [] })[0]).toMatchObject({ pair: { lossPerMille: 300 } });
    expect(list([pair({ isNarrow: true, pathMtuBytes: 1404 }), pair({ from: "b", to: "a", isNarrow: true, pathMtuBytes: 1400 })])).toEqual(["narrow a<>b"]); // prettier-ignore
  });

  test("one way each is told for itself", () =>
    expect(list([pair({ state: "down" }), pair({ from: "b", to: "a", lossPerMille: 300 })])).toEqual(["down a>b", "lossy b>a"]));

  test("a narrow path that a network suffers from is the network's matter, once", () => {
    const narrow = pair({ isNarrow: true, pathMtuBytes: 1404 });
    const other = { ...problem, from: "b", to: "a", pathMtuBytes: 1400 };
    expect(list([narrow, pair({ from: "b", to: "c", isNarrow: true })], [problem, other])).toEqual(["web 1400", "narrow b>c"]);
  });

  test("cut paths come first", () => {
    const pairs = [pair({ rttP50Micros: 90_000 }), pair({ from: "c", lossPerMille: 50 }), pair({ from: "d", state: "down" })];
    expect(list(pairs, [problem])).toEqual(["down d>b", "web 1404", "lossy c>b", "slow a>b"]);
  });
});

describe("the map", () => {
  const hosts = ["a", "b", "c"].map((id) => ({ id, name: id }));
  const networks = [{ id: "n", hosts: [{ id: "a", members: 2 }, { id: "c", members: 1 }, { id: "gone", members: 1 }] }, { id: "empty", hosts: [] }]; // prettier-ignore

  test("without trouble has no arc, and its hosts side by side", () => {
    const map = layOutMap({ hosts, pairs: [pair()], networks });
    expect(map.arcs).toEqual([]);
    const [a, b, c] = map.hosts.map(({ x }) => x);
    expect((b ?? 0) - (a ?? 0)).toBe(MAP.host.width + MAP.gap);
    expect(map.width).toBe((c ?? 0) + MAP.host.width / 2 + MAP.left);
  });

  test("one arc for both ways, of the worse of them, higher for hosts further apart", () => {
    const pairs = [
      pair({ isNarrow: true }),
      pair({ from: "b", to: "a", state: "down" }),
      pair({ from: "c", to: "a", isNarrow: true }),
      pair({ to: "gone", state: "down" }),
    ];
    const { arcs, hostsY } = layOutMap({ hosts, pairs, networks });
    expect(arcs.map(({ sign }) => sign)).toEqual(["down", "narrow"]);
    const [near, far] = arcs.map(({ label }) => label.y);
    expect(far ?? 0).toBeLessThan(near ?? 0);
    expect(far ?? 0).toBeGreaterThan(0);
    expect(near ?? 0).toBeLessThan(hostsY);
  });

  test("a line per network from its first to its last host, a dot for each", () => {
    const { rows, hosts: placed, height } = layOutMap({ hosts, pairs: [], networks });
    expect(rows[0]).toMatchObject({ fromX: placed[0]?.x, toX: placed[2]?.x, dots: [{ members: 2 }, { members: 1 }] });
    expect(rows[1]?.dots).toEqual([]);
    expect(rows[1]?.y ?? 0).toBeLessThan(height);
  });

  test("of nobody is empty", () => expect(layOutMap({ hosts: [], pairs: [], networks: [] }).hosts).toEqual([]));
});
