import { expect, test } from "vitest";
import type { Call } from "../api/call.ts";
import { Router } from "../api/router.ts";
import { flotillaImageRoutes } from "./flotilla-image-routes.ts";

test("names with slashes lead to the image of the caller's namespace, with the caller's patience", async () => {
  const asked: unknown[] = [];
  const images = {
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
