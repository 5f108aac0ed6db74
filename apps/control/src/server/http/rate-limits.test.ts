import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createRestHandler } from "@flotilla/api";
import type { Actor } from "@flotilla/services";
import { describe, expect, test } from "vitest";
import { RateLimits } from "./rate-limits.ts";

const token = (id: string): Actor => ({ kind: "user", credential: { kind: "token", id } }) as unknown as Actor;
const at = (address: string): Actor => ({ kind: "anonymous", address });

/** Ten calls a second, so two hundred at once; the clock stands until it is moved. */
function limits(perSecond = 10): { limits: RateLimits; pass: (ms: number) => void; use: (actor: Actor, calls: number) => number } {
  let now = 1_000_000;
  const made = new RateLimits({ perSecond, nowMs: () => now });
  const use = (actor: Actor, calls: number): number =>
    Array.from({ length: calls }, () => made.take(actor)).filter((quota) => quota?.retrySeconds === 0).length;
  return { limits: made, pass: (ms) => (now += ms), use };
}

describe("calls of a token", () => {
  test("may come all at once, and then at the rate", () => {
    const { pass, use } = limits();
    expect(use(token("a"), 250)).toBe(200);
    pass(1_000);
    expect(use(token("a"), 50)).toBe(10);
    pass(60_000);
    expect(use(token("a"), 250)).toBe(200);
  });

  test("leave the others' alone", () => {
    const { use } = limits();
    use(token("a"), 300);
    expect(use(token("b"), 250)).toBe(200);
  });

  test("are told what is left, and a refused one costs nothing", () => {
    const { limits: made, pass } = limits();
    expect(made.take(token("a"))).toEqual({ limit: 200, remaining: 199, resetSeconds: 1, retrySeconds: 0 });
    expect(made.take(token("a"), 199)).toEqual({ limit: 200, remaining: 0, resetSeconds: 20, retrySeconds: 0 });
    for (let index = 0; index < 100; index++)
      expect(made.take(token("a"), 15)).toEqual({ limit: 200, remaining: 0, resetSeconds: 20, retrySeconds: 2 });
    pass(1_500);
    expect(made.take(token("a"), 15)).toMatchObject({ remaining: 0, retrySeconds: 0 });
  });
});

test("whoever shows nothing is counted by network, with a quarter", () => {
  const { use } = limits(40);
  expect(use(at("10.0.0.1"), 500)).toBe(200);
  expect(use(at("10.0.0.2"), 1)).toBe(1);
  expect(use(at("2001:db8::1"), 200) + use(at("2001:db8::2"), 100)).toBe(200);
});

test("hosts are not counted, and without a rate nobody is", () => {
  const { limits: made } = limits(0);
  expect(made.take(token("a"))).toBeUndefined();
  expect(limits().limits.take({ kind: "system" } as Actor)).toBeUndefined();
});

test("an answer carries what is left, a refusal when to come back", () => {
  const { limits: made } = limits();
  const headers = new Map<string, string>();
  const res = { setHeader: (name: string, value: string) => headers.set(name, value) } as unknown as ServerResponse;
  made.admit(token("a"), res);
  expect([...headers]).toEqual([
    ["ratelimit-policy", '"calls";q=200;w=20'],
    ["ratelimit", '"calls";r=199;t=1'],
  ]);
  made.take(token("a"), 199);
  expect(() => made.admit(token("a"), res)).toThrow("too many calls: try again in 1 s");
  expect(headers.get("retry-after")).toBe("1");
});

test("forgets who came long ago", () => {
  const { limits: made, pass } = limits();
  for (let index = 0; index < 10_000; index++) made.take(token(String(index)));
  pass(60_000);
  made.take(token("new"));
  expect(made.take(token("0"))).toMatchObject({ remaining: 199 });
});

test("REST answers a call too many with a problem, and with the time to wait", async () => {
  const { limits: made } = limits();
  const handle = createRestHandler(async (_req, res) => {
    made.admit(at("10.0.0.9"), res, 50);
    throw new Error("not asked for here");
  });
  const server = createServer((req, res) => void handle(req, res));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const ask = (): Promise<Response> => fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1/hosts`);
    expect((await ask()).status).toBe(500);
    const refused = await ask();
    expect(await refused.json()).toEqual({
      type: "about:blank",
      title: "Too Many Requests",
      status: 429,
      detail: "too many calls: try again in 20 s",
      code: "too_many_requests",
    });
    expect([refused.headers.get("retry-after"), refused.headers.get("ratelimit")]).toEqual(["20", '"calls";r=0;t=20']);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});
