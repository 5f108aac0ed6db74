import { describe, expect, test } from "vitest";
import { applyChanges } from "./change.ts";
import type { RunConfig } from "./image-config.ts";

describe("instructions change the configuration", () => {
  test.each<[string, RunConfig]>([
    ['CMD ["redis-server", "--port", "1"]', { Cmd: ["redis-server", "--port", "1"] }],
    ["CMD redis-server --port 1", { Cmd: ["/bin/sh", "-c", "redis-server --port 1"] }],
    ["cmd [not json", { Cmd: ["/bin/sh", "-c", "[not json"] }],
    ["CMD []", { Cmd: [] }],
    ['ENTRYPOINT ["/init"]', { Entrypoint: ["/init"], Cmd: null }],
    ["ENV A=1 B=\"two words\" C='$A' D=a\\ b", { Env: ["A=1", "B=two words", "C=$A", "D=a b"] }],
    ["ENV A the rest  of it", { Env: ["A=the rest  of it"] }],
    [
      "EXPOSE 80 443/tcp 53/UDP 8000-8002",
      { ExposedPorts: { "80/tcp": {}, "443/tcp": {}, "53/udp": {}, "8000/tcp": {}, "8001/tcp": {}, "8002/tcp": {} } },
    ],
    ['LABEL a=1 "b c"="d"', { Labels: { a: "1", "b c": "d" } }],
    ["USER app:staff", { User: "app:staff" }],
    ['VOLUME ["/data", "/log"]', { Volumes: { "/data": {}, "/log": {} } }],
    ["VOLUME /data /log", { Volumes: { "/data": {}, "/log": {} } }],
    ["WORKDIR /srv/../app", { WorkingDir: "/app" }],
    ["STOPSIGNAL SIGINT", { StopSignal: "SIGINT" }],
    ["ONBUILD RUN x", { OnBuild: ["RUN x"] }],
    ["HEALTHCHECK NONE", { Healthcheck: { Test: ["NONE"] } }],
    [
      "HEALTHCHECK --interval=1m30s --timeout=500ms --start-period=0s --retries=3 CMD curl -f x",
      { Healthcheck: { Interval: 90e9, Timeout: 5e8, StartPeriod: 0, Retries: 3, Test: ["CMD-SHELL", "curl -f x"] } },
    ],
    ['HEALTHCHECK CMD ["true"]', { Healthcheck: { Test: ["CMD", "true"] } }],
    ["CMD one \\\n  two", { Cmd: ["/bin/sh", "-c", "one   two"] }],
    ["# only a comment", {}],
  ])("%s", (change, expected) => {
    expect(applyChanges({}, [change])).toEqual(expected);
  });

  test("in order: later ones win, variables come from the environment, WORKDIR builds on itself", () => {
    const config = applyChanges({ Env: ["PATH=/bin", "A=0"], Cmd: ["old"] }, [
      "ENV A=1",
      "ENV PATH=/x:$PATH B=${A:-none} C=${NO:-other} D=${A:+set}",
      "WORKDIR /a",
      "WORKDIR b$A",
    ]);
    expect(config).toEqual({ Env: ["PATH=/x:/bin", "A=1", "B=1", "C=other", "D=set"], Cmd: ["old"], WorkingDir: "/a/b1" });
  });

  test("ENTRYPOINT drops the image's CMD but not one given here", () => {
    expect(applyChanges({ Cmd: ["old"] }, ['ENTRYPOINT ["x"]']).Cmd).toBeNull();
    expect(applyChanges({}, ['CMD ["new"]', 'ENTRYPOINT ["x"]']).Cmd).toEqual(["new"]);
  });

  test("the configuration that came in stays as it was", () => {
    const before: RunConfig = { Env: ["A=0"], Labels: { a: "0" } };
    applyChanges(before, ["ENV A=1", "LABEL a=1"]);
    expect(before).toEqual({ Env: ["A=0"], Labels: { a: "0" } });
  });
});

describe("what cannot be applied is refused", () => {
  test.each([
    ["RUN rm -rf /", "run is not a valid change command"],
    ["COPY a b", "copy is not a valid change command"],
    ["FOO bar", "unknown instruction: FOO"],
    ["constructor x", "unknown instruction: constructor"],
    ["ENV", "ENV requires at least one argument"],
    ["ENV A", "ENV must have two arguments"],
    ["ENV A=1 B", 'can\'t find = in "B"'],
    ["ENV =1", "ENV names can not be blank"],
    ['ENV A="1', "looking for matching double-quote"],
    ["ENV A=${B", "syntax error: missing '}'"],
    ["EXPOSE", "EXPOSE requires at least one argument"],
    ["EXPOSE http", "Invalid containerPort: http"],
    ["EXPOSE 70000", "Invalid containerPort: 70000"],
    ["EXPOSE 90-80", "Invalid containerPort: 90-80"],
    ["USER a b", "USER requires exactly one argument"],
    ["WORKDIR", "WORKDIR requires exactly one argument"],
    ['VOLUME [""]', "VOLUME specified can not be an empty string"],
    ["ONBUILD", "ONBUILD requires at least one argument"],
    ["HEALTHCHECK", 'Unknown type ""'],
    ["HEALTHCHECK CMD", "Missing command after HEALTHCHECK CMD"],
    ["HEALTHCHECK NONE x", "HEALTHCHECK NONE takes no arguments"],
    ["HEALTHCHECK --interval=soon CMD x", 'invalid duration "soon"'],
    ["HEALTHCHECK --interval=5us CMD x", "cannot be less than 1ms"],
    ["HEALTHCHECK --retries=x CMD x", "invalid --retries: x"],
    ["HEALTHCHECK --colour=red CMD x", "unknown flag: --colour"],
  ])("%s", (change, message) => {
    expect(() => applyChanges({}, [change])).toThrow(message);
  });
});
