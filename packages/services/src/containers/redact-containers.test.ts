import { describe, expect, test } from "vitest";
import { HIDDEN, redactAnswer, redactInspect } from "./redact-containers.ts";

const CANARY = "canary-5417";
const inspect = {
  Id: "abc",
  Name: "/web",
  Path: "sh",
  Args: ["-c", `login ${CANARY}`],
  State: { Status: "running", Health: { Status: "healthy", Log: [{ ExitCode: 0, Output: CANARY }] } },
  Config: {
    Image: "web:1",
    Env: [`PASSWORD=${CANARY}`, `URL=http://u:${CANARY}@h/?a=b`, "EMPTY="],
    Cmd: [CANARY],
    Entrypoint: ["/run", CANARY],
    Labels: { "com.docker.compose.service": "web", "my.token": CANARY },
    Healthcheck: { Test: ["CMD", "check", CANARY], Retries: 3 },
  },
  HostConfig: { Memory: 5, LogConfig: { Type: "json-file", Config: { "gelf-token": CANARY } } },
  Mounts: [{ Source: "/srv", Destination: "/data" }],
};

describe("redactInspect", () => {
  test("no value that may be a secret is left, and what a container is can still be seen", () => {
    const shown = redactInspect(inspect);
    expect(JSON.stringify(shown)).not.toContain(CANARY);
    expect(shown.Config.Env).toEqual([`PASSWORD=${HIDDEN}`, `URL=${HIDDEN}`, `EMPTY=${HIDDEN}`]);
    expect(shown.Config.Labels).toEqual({ "com.docker.compose.service": "web", "my.token": HIDDEN });
    expect(shown).toMatchObject({ Id: "abc", Path: "sh", Config: { Image: "web:1" }, HostConfig: { Memory: 5 }, Mounts: inspect.Mounts });
    expect(shown.State.Health).toMatchObject({ Status: "healthy", Log: [{ ExitCode: 0 }] });
  });

  test("what was given stays as it was", () => {
    redactInspect(inspect);
    expect(inspect.Config.Cmd).toEqual([CANARY]);
  });

  test.each([
    [{}],
    [{ Config: null, HostConfig: { LogConfig: null }, State: { Health: null } }],
    [{ Config: { Env: null, Labels: null } }],
  ])("%j stays as it is", (answer) => expect(redactInspect(answer)).toEqual(answer));
});

describe("redactAnswer", () => {
  const row = { Id: "abc", Command: CANARY, Labels: { a: CANARY }, State: "running" };
  const shown = { Id: "abc", Command: HIDDEN, Labels: { a: HIDDEN }, State: "running" };

  test("a list", () => expect(redactAnswer([row, null])).toEqual([shown, null]));
  test("docker system df", () => {
    expect(redactAnswer({ LayersSize: 1, Containers: [row], Images: [] })).toEqual({ LayersSize: 1, Containers: [shown], Images: [] });
  });
  test("one container", () => expect(JSON.stringify(redactAnswer(inspect))).not.toContain(CANARY));
  test.each([["text"], [null], [3]])("%j is nothing to hide", (answer) => expect(redactAnswer(answer)).toBe(answer));
});
