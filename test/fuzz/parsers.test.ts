import { FlotillaError } from "@flotilla/core";
import { describe, expect, test } from "vitest";
import { Chaos } from "./chaos.ts";
import { expectRefusal, PARSERS } from "./parsers.ts";

// A few thousand inputs of fixed seeds; `npm run fuzz` tries others for as long as one likes.
describe("what reads foreign input refuses it, and does nothing else", () => {
  test.each(PARSERS)("$name", async ({ feed, weight }) => {
    for (let seed = 0; seed < 60 * weight; seed += 1) {
      try {
        await feed(new Chaos(seed));
      } catch (error) {
        throw new Error(`seed ${seed}`, { cause: error });
      }
    }
  });
});

describe("the fuzzer itself", () => {
  test("does the same for the same seed", () => {
    const of = (seed: number): string => {
      const chaos = new Chaos(seed);
      return JSON.stringify([
        chaos.mutateText("abc def"),
        chaos.mutateBytes(Buffer.from("abc")).toString("hex"),
        chaos.mutateJson({ a: [1] }),
      ]);
    };
    expect(of(7)).toBe(of(7));
    expect(new Set([1, 2, 3, 4].map(of)).size).toBe(4);
  });

  test("takes an error of ours for a refusal, and no other", () => {
    expect(() => expectRefusal(new FlotillaError("invalid", "no"))).not.toThrow();
    expect(() => expectRefusal(new FlotillaError("internal", "oh"))).toThrow("oh");
    expect(() => expectRefusal(new TypeError("undefined is not a function"))).toThrow(TypeError);
  });
});
