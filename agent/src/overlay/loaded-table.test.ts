import { sampleService } from "@flotilla/protocol/sample-network";
import { beforeEach, expect, test } from "vitest";
import { FakeOverlayKernel } from "../host/fake-overlay-kernel.ts";
import { sampleInput, sampleState } from "./fixture.ts";
import { LoadedTable, type TableWish } from "./loaded-table.ts";
import type { LocalEndpoint } from "./router-plan.ts";

const state = sampleState();
const endpointAt = (index: number): LocalEndpoint => ({ link: `c${index}`, address: `10.30.1.${index}`, address6: "", mac: "" });
const wishOf = (indexes: readonly number[], change: Partial<TableWish> = {}): TableWish => ({
  ...sampleInput({ state, endpoints: indexes.map(endpointAt) }),
  ports: [],
  ...change,
});
const kernel = new FakeOverlayKernel();
let path = 0;
let stack: ReturnType<FakeOverlayKernel["router"]>;
let table: LoadedTable;

beforeEach(async () => {
  stack = kernel.router(`/r/overlay/${(path += 1)}`);
  table = new LoadedTable();
  await put(wishOf([18, 19]));
  stack.nftTexts.length = 0;
});

const put = (wish: TableWish): Promise<void> => table.apply(table.plan(wish), stack);
const linesOf = (index: number): string[] => [
  `members { "c${index}" . 10.30.1.${index} }`,
  `pairs { 10.30.1.${index} . 10.30.1.${index} }`,
  `local { 10.30.1.${index} }`,
];
const textOf = (verb: string, index: number): string => linesOf(index).map((line) => `${verb} element inet flotilla ${line}\n`).join(""); // prettier-ignore

test("a container that comes or goes is its own elements, and one that stays is nothing", async () => {
  await put(wishOf([18, 19, 20]));
  await put(wishOf([18, 20]));
  await put(wishOf([18, 20]));
  await put(wishOf([20, 18]));
  expect(stack.nftTexts).toEqual([textOf("add", 20), textOf("delete", 19)]);
});

test("what the network says is compared too when that is another, with what containers are left alone", async () => {
  await put(wishOf([18, 19], { state: { ...state, dead: ["10.30.1.40"] } }));
  await put(wishOf([18], { state: { ...state, dead: [] } }));
  expect(stack.nftTexts).toEqual(["add element inet flotilla dead { 10.30.1.40 }\n", `delete element inet flotilla dead { 10.30.1.40 }\n${textOf("delete", 19)}`]); // prettier-ignore
});

test("what failed half-known is put in place as a whole, with everything that is there by then", async () => {
  stack.tables.clear();
  await expect(put(wishOf([18, 19, 20]))).rejects.toThrow("ENOENT");
  expect(table.isKnown).toBe(false);
  await put(wishOf([18, 20, 21]));
  expect(table.isKnown).toBe(true);
  const [text = ""] = stack.nftTexts;
  expect(stack.nftTexts).toHaveLength(1);
  expect([18, 19, 20, 21].map((index) => text.includes(`"c${index}" . 10.30.1.${index}`))).toEqual([true, false, true, true]);
  await put(wishOf([18, 20, 21]));
  expect(stack.nftTexts).toHaveLength(1);
});

test("a step is not known to be done before it is, and distrust forgets what was", async () => {
  const step = table.plan(wishOf([18]));
  expect(table.isKnown).toBe(false);
  await table.apply(step, stack);
  expect(table.isKnown).toBe(true);
  table.distrust();
  await put(wishOf([18]));
  expect(stack.nftTexts.at(-1)).toContain("table inet flotilla {");
});

test("a published port changes the rules, and its elements are compared while it is there", async () => {
  const ports = [{ protocol: "tcp" as const, port: 80, targetPort: 8080, publishedPort: 8443 }];
  const service = sampleService({ id: "s", ports, addresses: [], backends: [{ address: "10.30.1.18", weight: 1 }] });
  const publish = (indexes: readonly number[], published = [service]): TableWish =>
    wishOf(indexes, { published, services: new Map(published.map((each) => [each.id, each])) });
  await put(publish([18]));
  await put(publish([18, 19]));
  await put(publish([18, 19], [{ ...service, backends: [{ address: "10.30.1.19", weight: 1 }] }]));
  expect(stack.nftTexts.map((text) => text.split("\n").length > 30)).toEqual([true, false, false]);
  expect(stack.nftTexts[1]).toBe(textOf("add", 19));
  expect(stack.nftTexts[2]).toContain("8443 . 0 : 10.30.1.19 . 8080");
  await put(wishOf([18, 19]));
  expect(stack.nftTexts[3]).not.toContain("10.30.1.19 . 8080");
});
