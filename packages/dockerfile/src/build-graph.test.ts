import { describe, expect, test } from "vitest";
import { declaredArgs, findUnconsumedArgs, formatUnconsumedArgs, parseDockerfile, planBuild, type BuildGraph } from "./index.ts";

const amd64 = { os: "linux", architecture: "amd64" };
type Extra = { target?: string; buildArgs?: Record<string, string | null>; arm?: boolean };

function plan(text: string, { target, buildArgs = {}, arm = false }: Extra = {}): BuildGraph {
  const targetPlatform = arm ? { os: "linux", architecture: "arm", variant: "v7" } : amd64;
  return planBuild(parseDockerfile(text), {
    buildArgs: new Map(Object.entries(buildArgs)),
    buildPlatform: amd64,
    targetPlatform,
    ...(target === undefined ? {} : { target }),
  });
}

describe("stages", () => {
  const text = `FROM a AS base
FROM base AS left
RUN x
FROM base AS right
FROM unused
FROM scratch AS last
COPY --from=left /x /
COPY --from=2 /y /
COPY --from=tools:1 /z /
RUN --mount=from=base,target=/m x`;

  test("only what the target needs is built, in waves", () => {
    const graph = plan(text);
    expect(graph.waves).toEqual([[0], [1, 2], [4]]);
    expect(graph.stages.map(({ label }) => label)).toEqual(["base", "left", "right", "last"]);
    expect(graph.stages.at(-1)).toMatchObject({ base: { kind: "scratch" }, needs: [1, 2, 0] });
    expect([...(graph.stages.at(-1)?.from ?? [])]).toEqual([
      ["left", { kind: "stage", index: 1 }],
      ["2", { kind: "stage", index: 2 }],
      ["tools:1", { kind: "image", reference: "docker.io/library/tools:1", platform: amd64 }],
      ["base", { kind: "stage", index: 0 }],
    ]);
  });

  test("a target is named or counted, in any case", () => {
    expect(plan(text, { target: "LEFT" }).waves).toEqual([[0], [1]]);
    expect(plan(text, { target: "3" }).waves).toEqual([[3]]);
    expect(() => plan(text, { target: "rihgt" })).toThrow('target stage "rihgt" could not be found (did you mean right?)');
  });

  test("a later stage may be copied from, and a loop is told with its stages", () => {
    expect(plan("FROM a AS one\nCOPY --from=two /x /\nFROM b AS two", { target: "one" }).waves).toEqual([[1], [0]]);
    expect(() => plan("FROM a AS one\nCOPY --from=two /x /\nFROM one AS two")).toThrow(
      /on line 2|circular dependency detected on stage: two/,
    );
    expect(() => plan("FROM a AS one\nCOPY --from=one /x /")).toThrow("circular dependency detected on stage: one (one → one)");
    expect(plan("FROM a AS one\nCOPY --from=one /x /\nFROM b").waves).toEqual([[1]]);
  });

  test("a missing index is an error, a missing name is an image", () => {
    expect(() => plan("FROM a\nRUN x\nCOPY --from=7 a b")).toThrow("dockerfile parse error on line 3: invalid stage index 7");
    expect(plan("FROM later\nFROM x AS later").stages[0]?.label).toBe("later");
    expect(plan("FROM later AS x\nFROM y AS later\nFROM x").stages[0]?.base).toMatchObject({
      kind: "image",
      reference: "docker.io/library/later:latest",
    });
  });

  test("a chain of 5,000 stages is planned", () => {
    const stages = Array.from({ length: 5000 }, (_, i) => (i === 0 ? "FROM a AS s0" : `FROM s${i - 1} AS s${i}`));
    expect(plan(stages.join("\n")).waves).toHaveLength(5000);
  });
});

describe("arguments above FROM", () => {
  test("defaults use those before them, given values win, platform names are known", () => {
    const text = "ARG A=1\nARG B=$A-x\nFROM --platform=$BUILDPLATFORM img:${B}-${TARGETARCH}${TARGETVARIANT}";
    expect(plan(text, { arm: true }).stages[0]?.base).toEqual({
      kind: "image",
      reference: "docker.io/library/img:1-x-armv7",
      platform: amd64,
    });
    expect(plan(text, { buildArgs: { A: "2" } }).stages[0]?.base).toMatchObject({ reference: "docker.io/library/img:2-x-amd64" });
  });

  test("one that is not declared is warned of, and a base that becomes blank is an error with its line", () => {
    expect(plan("ARG VERSION=1\nFROM a:v$VERSOIN").warnings).toMatchObject([{ rule: "UndefinedArgInFrom", suggestion: "VERSION" }]);
    expect(() => plan("# x\nFROM $A")).toThrow("dockerfile parse error on line 2: base name ($A) should not be blank");
    expect(() => plan("FROM Up/Case")).toThrow(/line 1: failed to parse stage name "Up\/Case": invalid reference format/);
    expect(() => plan("FROM --platform=a/b/c/d x")).toThrow(/invalid/);
  });

  test("given arguments that nobody declared are named in order", () => {
    const declared = declaredArgs(parseDockerfile("ARG a\nFROM x\nARG b"));
    const given = new Map([
      ["z", "1"],
      ["b", "1"],
      ["a", "1"],
      ["y", null],
      ["HTTP_PROXY", "p"],
    ]);
    expect(formatUnconsumedArgs(findUnconsumedArgs(given, declared))).toBe("[Warning] One or more build-args [y z] were not consumed");
    expect(() => plan("FROM a", { buildArgs: { "a=b": "1" } })).toThrow("invalid build-arg name");
  });
});
