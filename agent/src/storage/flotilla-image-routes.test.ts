import { expect, test } from "vitest";
import type { Call } from "../api/call.ts";
import { Router } from "../api/router.ts";
import { flotillaImageRoutes } from "./flotilla-image-routes.ts";

test("names with slashes lead to the image of the caller's namespace, with the caller's patience", async () => {
  const asked: unknown[] = [];
  const images = {
    listUse: () => [],
    layers: async (...question: unknown[]) => {
      asked.push(question);
      return { id: `sha256:${"0".repeat(64)}` as const, sizeBytes: 1, wastedBytes: 0, layers: [] };
    },
  };
  const match = new Router(flotillaImageRoutes({ images })).find("GET", "/flotilla/v1/images/reg:5000/a/b%3A1/layers");
  const { signal } = new AbortController();
  const call = { namespace: "team", params: match?.params ?? {}, signal } as unknown as Call;
  expect(await match?.handler(call)).toMatchObject({ kind: "json", status: 200, body: { sizeBytes: 1 } });
  expect(asked).toEqual([["team", "reg:5000/a/b:1", signal]]);
});

test("the use of images tells never from not known, and is asked for the caller's namespace", async () => {
  const images = {
    layers: () => Promise.reject(new Error("not asked for")),
    listUse: (namespace: string) => [
      { id: `${namespace}-used`, lastUsedMs: 1_700_000_000_000 },
      { id: "never", lastUsedMs: 0 },
      { id: "unknown", lastUsedMs: null },
    ],
  };
  const match = new Router(flotillaImageRoutes({ images })).find("GET", "/flotilla/v1/images/usage");
  expect(await match?.handler({ namespace: "team", params: {} } as unknown as Call)).toMatchObject({
    body: {
      images: [
        { id: "team-used", lastUsedAt: "2023-11-14T22:13:20.000Z", isNeverUsed: false },
        { id: "never", lastUsedAt: null, isNeverUsed: true },
        { id: "unknown", lastUsedAt: null, isNeverUsed: false },
      ],
    },
  });
});
