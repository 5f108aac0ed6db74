import { afterEach, expect, test } from "vitest";
import { type Notice, notify, onFirstNotice, takeNotices } from "./notify.ts";

const undo: (() => void)[] = [];
afterEach(() => {
  for (const one of undo.splice(0)) one();
});

test("the first notice brings its place, which then gets all that waited and all that follow", () => {
  let brought = 0;
  const shown: string[] = [];
  notify("error", "before the page listened");
  undo.push(onFirstNotice(() => (brought += 1)));
  expect(brought).toBe(1);
  notify("success", "while it loads");
  undo.push(takeNotices((notice: Notice) => shown.push(`${notice.kind} ${notice.title}`)));
  notify("warning", "afterwards", { description: "why" });
  expect(shown).toEqual(["error before the page listened", "success while it loads", "warning afterwards"]);
});

test("a page without notices brings nothing", () => {
  let brought = 0;
  undo.push(onFirstNotice(() => (brought += 1)));
  expect(brought).toBe(0);
});
