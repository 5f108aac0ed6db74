import { beforeEach, describe, expect, test } from "vitest";
import { type Element, type ElementPlan, ElementTable, formatElements, gatherElements, type Owners } from "./element-table.ts";

const [V4, V6] = ["ip t", "ip6 t"];
const ports = (text: string): Element => ({ set: `${V4} ports`, text });
const links = (text: string): Element => ({ set: `${V4} links`, text });

let owners: Map<string, readonly Element[]>;
let hasIpv6: boolean;
let sent: string[];
let refuse: RegExp | undefined;
let table: ElementTable;

const plan = (): ElementPlan => ({
  owners,
  tables: new Set([...(owners.size > 0 ? [V4] : []), ...(hasIpv6 ? [V6] : [])]),
  sets: new Set([...owners.values()].flat().map(({ set }) => set)),
});

beforeEach(() => {
  owners = new Map([["a", [links("a")]]]);
  hasIpv6 = false;
  sent = [];
  refuse = undefined;
  table = new ElementTable({
    nft: async (text) => {
      sent.push(text);
      if (refuse?.test(text) === true) throw new Error("nft: no such table");
    },
    plan,
    format: ({ owners: all }, stale) => `whole ${[...all.keys()].join("")} without ${stale.join(", ")}\n`,
    tables: [V4, V6],
  });
});

const put = (changes: Record<string, readonly Element[]>): Promise<void> => {
  const changed: Owners = new Map(Object.entries(changes));
  for (const [owner, elements] of changed) {
    if (elements.length === 0) owners.delete(owner);
    else owners.set(owner, elements);
  }
  return table.put(changed);
};
const last = (): string | undefined => sent.at(-1);

describe("put", () => {
  test("replaces everything while it is not known what is loaded, and whatever an agent before may have left", async () => {
    expect(table.loadedTables()).toBeUndefined();
    await put({ b: [links("b")] });
    expect(sent).toEqual(["whole ab without ip6 t\n"]);
    expect(table.loadedTables()).toEqual(new Set([V4]));
  });

  test("then changes what differs, in one transaction, removals first", async () => {
    await table.replace();
    await put({ b: [links("b"), links("c")] });
    await put({ b: [links("c"), links("d")] });
    expect(sent.slice(1)).toEqual(["add element ip t links { b, c }\n", "delete element ip t links { b }\nadd element ip t links { d }\n"]);
  });

  test("gives a key from one owner to another with its new value", async () => {
    owners.set("p", [ports("80 : a")]);
    await table.replace();
    await put({ p: [], q: [ports("80 : b")] });
    expect(last()).toBe("delete element ip t ports { 80 : a }\nadd element ip t ports { 80 : b }\n");
  });

  test("is nothing when nothing differs, or is asked", async () => {
    await table.replace();
    await put({ a: [links("a")], never: [] });
    await put({});
    expect(sent.length).toBe(1);
  });

  test("forgets who has nothing any more", async () => {
    owners.set("b", [links("b")]);
    await table.replace();
    await put({ b: [] });
    await put({ b: [links("b")] });
    expect(sent.slice(1)).toEqual(["delete element ip t links { b }\n", "add element ip t links { b }\n"]);
  });

  test("replaces everything when the rules do not know a set yet", async () => {
    await table.replace();
    await put({ p: [ports("80 : a")] });
    expect(last()).toBe("whole ap without \n");
    await put({ q: [ports("81 : a")] });
    expect(last()).toBe("add element ip t ports { 81 : a }\n");
  });

  test("replaces everything when nftables refuses, and knows what is there after it", async () => {
    await table.replace();
    refuse = /element/;
    await put({ b: [links("b")] });
    expect(sent.slice(1)).toEqual(["add element ip t links { b }\n", "whole ab without \n"]);
    refuse = undefined;
    await put({ c: [links("c")] });
    expect(last()).toBe("add element ip t links { c }\n");
  });

  test("knows nothing after a failure of the whole, and tries it again with the next change", async () => {
    await table.replace();
    refuse = /element|whole/;
    await expect(put({ b: [links("b")] })).rejects.toThrow("no such table");
    expect(table.loadedTables()).toBeUndefined();
    refuse = undefined;
    await put({ c: [links("c")] });
    expect(last()).toBe("whole abc without ip6 t\n");
  });

  test("one after the other", async () => {
    await table.replace();
    await Promise.all([put({ b: [links("b")] }), put({ b: [links("c")] }), put({ b: [] })]);
    expect(sent.slice(1)).toEqual([
      "add element ip t links { b }\n",
      "delete element ip t links { b }\nadd element ip t links { c }\n",
      "delete element ip t links { c }\n",
    ]);
  });
});

describe("sync", () => {
  test("changes what is planned otherwise than it was loaded", async () => {
    owners.set("b", [links("b")]);
    await table.replace();
    owners = new Map([
      ["b", [links("b")]],
      ["c", [links("c")]],
    ]);
    await table.sync();
    await table.sync();
    expect(sent.slice(1)).toEqual(["delete element ip t links { a }\nadd element ip t links { c }\n"]);
  });

  test("replaces everything when a table comes or goes, and only then names one that is to go", async () => {
    await table.replace();
    hasIpv6 = true;
    await table.sync();
    hasIpv6 = false;
    await table.sync();
    owners.clear();
    await table.sync();
    expect(sent).toEqual(["whole a without ip6 t\n", "whole a without \n", "whole a without ip6 t\n", "whole  without ip t\n"]);
  });
});

test("elements are one line for each set, and each is told once however many need it", () => {
  expect(formatElements("add", [links("a"), ports("80 : a"), links("b")])).toBe(
    "add element ip t links { a, b }\nadd element ip t ports { 80 : a }\n",
  );
  expect(formatElements("delete", [])).toBe("");
  expect(gatherElements(new Map([["x", [links("a"), ports("1")]], ["y", [links("a")]]]))).toEqual(new Map([["ip t links", ["a"]], ["ip t ports", ["1"]]])); // prettier-ignore
});
