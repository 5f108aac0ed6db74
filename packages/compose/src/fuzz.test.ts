import { FlotillaError } from "@flotilla/core";
import { expect, test } from "vitest";
import { load } from "./load-for-tests.ts";
import { Project } from "./model.ts";

/** mulberry32: the same texts in every run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const BASE = `name: fuzz
services:
  web: &web
    image: "nginx:\${TAG:-1}"
    ports: ["8080:80", {target: 81}]
    environment: {A: 1, B: $HOME}
    depends_on: {db: {condition: service_healthy}}
    deploy: {replicas: 2, resources: {limits: {memory: 64m}}}
    healthcheck: {test: [CMD, "true"], interval: 1m30s}
    volumes: ["data:/data:ro", ./x:/x]
  db:
    <<: *web
    ports: []
    depends_on: []
    secrets: [s]
networks: {default: {ipam: {config: [{subnet: 10.0.0.0/8}]}}}
volumes: {data: }
secrets: {s: {file: ./s}}
`;
const PIECES = [
  "null",
  "[]",
  "{}",
  "-1",
  "'",
  '"',
  ":",
  "- ",
  "*web",
  "&x",
  "<<: ",
  "!reset ",
  "!override ",
  "${",
  "}",
  "$",
  "\t",
  "  ",
  "\n",
  "999999999999",
  "true",
  "x-a",
  "\u0000",
  "é",
  "[[",
  "services:",
  "#",
];

/** A text with a few places cut out, doubled or overwritten. */
function mutate(random: () => number): string {
  const pick = (below: number): number => Math.floor(random() * below);
  let text = BASE;
  for (let edits = 1 + pick(2); edits > 0; edits--) {
    const at = pick(text.length);
    const length = pick(5);
    const kind = pick(3);
    const piece = kind === 0 ? "" : kind === 1 ? (PIECES[pick(PIECES.length)] ?? "") : text.slice(at, at + length).repeat(2);
    text = text.slice(0, at) + piece + text.slice(at + length);
  }
  return text;
}

test("a damaged file gives a project or a list of mistakes with places, and nothing else", async () => {
  const random = seeded(20_261_126);
  let loaded = 0;
  for (let round = 0; round < 400; round++) {
    const text = mutate(random);
    try {
      const { project } = await load(text, { target: "host" });
      expect(Project.parse(project)).toEqual(project);
      loaded++;
    } catch (error) {
      if (!(error instanceof FlotillaError)) throw new Error(`round ${round}: ${String(error)}\n${text}`, { cause: error });
      expect(error.code).toBe("invalid");
    }
  }
  // Both kinds were seen.
  expect(loaded).toBeGreaterThan(20);
  expect(loaded).toBeLessThan(380);
});
