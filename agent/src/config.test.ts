import { expect, test } from "vitest";
import { readConfig } from "./config.ts";

test("defaults are the documented ones", () => {
  expect(readConfig({})).toMatchObject({
    dataDir: "/var/lib/flotilla/agent",
    runDir: "/run/flotilla",
    socketPath: "/run/flotilla/engine.sock",
    logLevel: "info",
  });
});

test("the instance depends on both directories and on nothing else", () => {
  const one = readConfig({ FLOTILLA_DATA: "/a", FLOTILLA_RUN: "/b" });
  expect(one.instance).toMatch(/^[0-9a-f]{8}$/);
  expect(readConfig({ FLOTILLA_DATA: "/a/", FLOTILLA_RUN: "/b", FLOTILLA_LOG: "debug" }).instance).toBe(one.instance);
  expect(readConfig({ FLOTILLA_DATA: "/a", FLOTILLA_RUN: "/c" }).instance).not.toBe(one.instance);
});

test.each([
  [{ FLOTILLA_DATA: "relative" }, /FLOTILLA_DATA must be an absolute path/],
  [{ FLOTILLA_RUN: "" }, /FLOTILLA_RUN must be an absolute path/],
  [{ FLOTILLA_LOG: "loud" }, /FLOTILLA_LOG must be one of debug, info, warn, error/],
])("%j is refused with the name of the variable", (env, message) => {
  expect(() => readConfig(env)).toThrow(message);
});
