import { describe, expect, test } from "vitest";
import { acceptDesired, type StateDocument } from "./accept-desired.ts";
import {
  agentStateMessage,
  boundFailures,
  controlStateMessage,
  diffResources,
  documentExcess,
  hashDocument,
  rehashDocument,
  isIntact,
  kindOf,
  makeResource,
  MAX_DOCUMENT_BYTES,
  MAX_RESOURCES,
  type Resource,
  resourceKey,
  type SnapshotMessage,
} from "./desired-state.ts";
import { formatLine, readLines } from "./json-lines.ts";

const a1 = makeResource("network/a", { vni: 1 });
const a2 = makeResource("network/a", { vni: 2 });
const b1 = makeResource("network/b", { vni: 9 });

const documentOf = (generation: number, ...items: Resource[]): StateDocument => ({
  generation,
  hash: hashDocument(items),
  resources: new Map(items.map((item) => [item.key, item])),
});
const snapshot = (generation: number, ...items: Resource[]): SnapshotMessage => ({
  type: "snapshot",
  generation,
  hash: hashDocument(items),
  resources: items,
});

describe("a resource", () => {
  test("has the revision of its value, whatever the order of its names", () => {
    expect(makeResource("x", { a: 1, b: { c: [1, 2], d: null } }).revision).toBe(
      makeResource("x", { b: { d: null, c: [1, 2] }, a: 1 }).revision,
    );
    expect(makeResource("x", { a: [1, 2] }).revision).not.toBe(makeResource("x", { a: [2, 1] }).revision);
    expect(isIntact(a1)).toBe(true);
    expect(isIntact({ ...a1, body: { vni: 3 } })).toBe(false);
  });

  test.each(["network", "network/0198-a", "registry-credentials", "service/a.b/c:1_2"])("%j is a key", (key) => {
    expect(resourceKey.safeParse(key).success).toBe(true);
    expect(kindOf(key)).toBe(key.split("/")[0]);
  });

  test.each(["", "/a", "a/", "a//b", "A/b", "a b", "a/../b", "a/b\n", "é", `a/${"b".repeat(200)}`])("%j is none", (key) =>
    expect(resourceKey.safeParse(key).success).toBe(false),
  );
});

describe("a document", () => {
  test("has a hash that knows its keys and values and not their order", () => {
    expect(hashDocument([a1, b1])).toBe(hashDocument([b1, a1]));
    expect(hashDocument([a1])).not.toBe(hashDocument([a2]));
    expect(hashDocument([])).not.toBe(hashDocument([a1]));
    expect(rehashDocument(hashDocument([a1, b1]), { gone: [a1], come: [a2] })).toBe(hashDocument([b1, a2]));
    expect(rehashDocument(hashDocument([a1]), { gone: [a1], come: [] })).toBe(hashDocument([]));
  });

  test("differs from another by what is set and removed", () => {
    const before = new Map([a1, b1].map(({ key, revision }) => [key, revision]));
    expect(diffResources(before, [a2])).toEqual({ set: [a2], remove: ["network/b"] });
    expect(diffResources(before, [b1, a1])).toEqual({ set: [], remove: [] });
  });

  test("is bounded in number and bytes", () => {
    expect(documentExcess([a1, b1])).toBeUndefined();
    expect(documentExcess([makeResource("x", { text: "x".repeat(MAX_DOCUMENT_BYTES) })])).toMatch(/bytes are more/);
    expect(documentExcess(Array.from({ length: MAX_RESOURCES + 1 }, () => a1))).toMatch(/resources are more/);
  });

  test("failures are cut to what may be sent", () => {
    const failures = boundFailures(Array.from({ length: 500 }, (_, at) => ({ key: `x/${at}`, message: "y".repeat(9_000) })));
    expect(agentStateMessage.safeParse({ type: "applied", version: { generation: 1, hash: a1.revision }, failures }).success).toBe(true);
  });
});

describe("what an agent accepts", () => {
  test("a first snapshot, and a newer one, with what goes", () => {
    expect(acceptDesired(null, snapshot(3, a1))).toMatchObject({ kind: "accept", document: { generation: 3 }, remove: [] });
    expect(acceptDesired(documentOf(3, a1), snapshot(9, b1))).toMatchObject({ kind: "accept", set: [b1], remove: ["network/a"] });
  });

  test("a delta on what it has, and no other", () => {
    const delta = { type: "delta", from: 3, to: 4, hash: hashDocument([a2, b1]), set: [a2, b1], remove: [] } as const;
    const mutable = { ...delta, set: [...delta.set], remove: [] };
    expect(acceptDesired(documentOf(3, a1), mutable)).toMatchObject({ kind: "accept", document: { generation: 4 } });
    expect(acceptDesired(documentOf(2, a1), mutable)).toEqual({ kind: "need_snapshot" });
    expect(acceptDesired(null, mutable)).toEqual({ kind: "need_snapshot" });
    // The same numbers with another content underneath: the hash tells.
    expect(acceptDesired(documentOf(3, makeResource("other", {})), mutable)).toEqual({ kind: "need_snapshot" });
  });

  test("no generation that is not newer, but for the same once more", () => {
    const current = documentOf(5, a1);
    expect(acceptDesired(current, snapshot(5, a1))).toEqual({ kind: "same" });
    expect(acceptDesired(current, snapshot(5, b1))).toMatchObject({ kind: "refuse" });
    expect(acceptDesired(current, snapshot(4, b1))).toMatchObject({ kind: "refuse", message: "generation 4 is not newer than 5" });
    expect(acceptDesired(current, { type: "delta", from: 3, to: 4, hash: b1.revision, set: [], remove: [] })).toMatchObject({
      kind: "refuse",
    });
  });

  test("nothing that does not fit its own hash", () => {
    expect(acceptDesired(null, { ...snapshot(1, a1), hash: b1.revision })).toMatchObject({ kind: "refuse" });
    expect(acceptDesired(null, { ...snapshot(1, a1), resources: [{ ...a1, body: { vni: 7 } }] })).toMatchObject({ kind: "refuse" });
    // A removal of what is not there is no reason to differ.
    const current = documentOf(1, a1);
    const delta = { type: "delta" as const, from: 1, to: 2, hash: current.hash, set: [], remove: ["network/none"] };
    expect(acceptDesired(current, delta)).toMatchObject({ kind: "accept", remove: [] });
  });
});

describe("lines", () => {
  async function* pieces(...parts: (string | Buffer)[]): AsyncGenerator<string | Buffer> {
    yield* parts;
  }
  const read = async (options: { maxBytes?: number }, ...parts: (string | Buffer)[]): Promise<unknown[]> => {
    const found: unknown[] = [];
    for await (const line of readLines(pieces(...parts), { schema: controlStateMessage, maxBytes: options.maxBytes ?? 1000 }))
      found.push(line);
    return found;
  };
  const ack = { type: "observed_ack", sequence: 1 };

  test("come out whole, however they are cut", async () => {
    const text = formatLine(ack) + formatLine({ ...ack, sequence: 2, unknown: "é" });
    const bytes = Buffer.from(text);
    for (let at = 0; at <= bytes.length; at++) {
      expect(await read({}, bytes.subarray(0, at), bytes.subarray(at))).toEqual([ack, { ...ack, sequence: 2 }]);
    }
  });

  test.each([
    ["no JSON", "{\n", /not JSON/],
    ["another shape", '{"type":"snapshot"}\n', /wrong shape/],
    ["a number that is none", '{"type":"observed_ack","sequence":1e99}\n', /wrong shape/],
    ["too long a line", `${"x".repeat(1001)}\n`, /longer/],
    ["a line without end", "x".repeat(1001), /longer/],
  ])("%s is an error", async (_what, text, error) => {
    await expect(read({}, text)).rejects.toThrow(error);
  });

  test("an error does not repeat what was in the line", async () => {
    await expect(read({}, '{"type":"snapshot","password":"hunter2"}\n')).rejects.not.toThrow(/hunter2/);
  });
});
