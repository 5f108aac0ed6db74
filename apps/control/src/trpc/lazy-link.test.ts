import type { Operation, OperationResultObservable, TRPCLink } from "@trpc/client";
import type { AnyRouter } from "@trpc/server";
import { observable } from "@trpc/server/observable";
import { expect, test } from "vitest";
import { lazyLink } from "./lazy-link.ts";

type Started = { path: string; isEnded: boolean };

/** A link that answers each operation with its path, and what was begun over it. */
function createTarget(): { started: Started[]; link: TRPCLink<AnyRouter> } {
  const started: Started[] = [];
  const link: TRPCLink<AnyRouter> =
    () =>
    ({ op }) =>
      observable((observer) => {
        const one = { path: op.path, isEnded: false };
        started.push(one);
        observer.next({ result: { type: "data", data: op.path } });
        return () => {
          one.isEnded = true;
        };
      });
  return { started, link };
}

const operation = (path: string): Operation => ({ id: 1, type: "subscription", path, input: undefined, context: {}, signal: null });
const next = (): OperationResultObservable<AnyRouter, unknown> => observable(() => undefined);

/** Starts an operation; gives what it heard and what ends it. */
function start(over: ReturnType<TRPCLink<AnyRouter>>, path: string): { heard: unknown[]; end: () => void } {
  const heard: unknown[] = [];
  const { unsubscribe } = over({ op: operation(path), next }).subscribe({
    next: (message) => heard.push("data" in message.result ? message.result.data : message.result.type),
    error: (error) => heard.push(error.message),
  });
  return { heard, end: unsubscribe };
}

const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

test("is loaded once, with the first operation, and ends what runs over it", async () => {
  const target = createTarget();
  let loads = 0;
  const over = lazyLink(async () => {
    loads += 1;
    return target.link;
  })({});
  expect(loads).toBe(0);
  const first = start(over, "a");
  const second = start(over, "b");
  await settle();
  expect(loads).toBe(1);
  expect([first.heard, second.heard]).toEqual([["a"], ["b"]]);
  first.end();
  expect(target.started.map(({ isEnded }) => isEnded)).toEqual([true, false]);
});

test("an operation that ended while the link was loaded never begins", async () => {
  const target = createTarget();
  const over = lazyLink(() => Promise.resolve(target.link))({});
  start(over, "a").end();
  await settle();
  expect(target.started).toEqual([]);
});

test("a load that failed is told, and tried again by the next operation", async () => {
  const target = createTarget();
  let isAway = true;
  const over = lazyLink(() => (isAway ? Promise.reject(new Error("the network is away")) : Promise.resolve(target.link)))({});
  const failed = start(over, "a");
  await settle();
  expect(failed.heard).toEqual(["the network is away"]);
  isAway = false;
  const second = start(over, "b");
  await settle();
  expect(second.heard).toEqual(["b"]);
});
