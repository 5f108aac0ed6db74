import { describe, expect, test } from "vitest";
import en from "./en.json" with { type: "json" };
import zh from "./zh.json" with { type: "json" };

type Tree = { [key: string]: string | Tree };

function flatten(tree: Tree, path = ""): Map<string, string> {
  return new Map(
    Object.entries(tree).flatMap(([key, value]) =>
      typeof value === "string" ? [[`${path}${key}`, value] as const] : [...flatten(value, `${path}${key}.`)],
    ),
  );
}

/** Names of arguments and tags of a text: `{count}`, `{count, plural, …}`, `<name>`. */
function placeholders(text: string): string[] {
  return [...new Set([...text.matchAll(/\{(\w+)[,}]|<(\w+)>/g)].map((match) => match[1] ?? match[2] ?? ""))].sort();
}

const english = flatten(en);
const chinese = flatten(zh);

describe("the catalogues of texts", () => {
  test("have the same keys", () => expect([...chinese.keys()].sort()).toEqual([...english.keys()].sort()));

  test("have no empty text", () => {
    expect([...english, ...chinese].filter(([, text]) => text.trim() === "")).toEqual([]);
  });

  test("name the same arguments in each text", () => {
    const differing = [...english].filter(([key, text]) => placeholders(text).join() !== placeholders(chinese.get(key) ?? "").join());
    expect(differing.map(([key]) => key)).toEqual([]);
  });

  test("are translated: few texts are the same in both", () => {
    const same = [...english].filter(([key, text]) => text === chinese.get(key)).map(([key]) => key);
    expect(same.filter((key) => !/(^|\.)(cpu|id|mtu|shell|version|noSize)$/.test(key))).toEqual([]);
  });
});
