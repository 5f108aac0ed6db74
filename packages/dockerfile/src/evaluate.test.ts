import { describe, expect, test } from "vitest";
import { cacheInputs, enterStage, evaluate, parseDockerfile, type Evaluation, type StageState, type Step } from "./index.ts";

type Given = { config?: StageState["config"]; buildArgs?: Record<string, string | null>; globalArgs?: Record<string, string> };

/** Evaluates all instructions of the first stage. */
function build(lines: string, given: Given = {}): { steps: Step[]; last: Evaluation } {
  const dockerfile = parseDockerfile(`FROM base\n${lines}`);
  const context = {
    buildArgs: new Map(Object.entries(given.buildArgs ?? {})),
    globalArgs: new Map(Object.entries(given.globalArgs ?? {})),
    escape: dockerfile.directives.escape,
  };
  let { state } = enterStage({ config: given.config ?? { Env: ["PATH=/bin"] } });
  const all = (dockerfile.stages[0]?.instructions ?? []).map((instruction) => {
    const evaluation = evaluate(instruction, state, context);
    state = evaluation.state;
    return evaluation;
  });
  return { steps: all.map(({ step }) => step), last: all.at(-1)! };
}
const config = (lines: string, given?: Given): StageState["config"] => build(lines, given).last.state.config;
const lastStep = (lines: string, given?: Given): Step => build(lines, given).last.step;

describe("configuration", () => {
  test("ENV in both forms is used by what follows, but not by its own line", () => {
    expect(config("ENV a=1 b=2\nENV a=x c=$a d='$b' e=\"$b y\"\nENV f $a the rest\nLABEL l=$f").Env).toEqual([
      "PATH=/bin",
      "a=x",
      "b=2",
      "c=1",
      "d=$b",
      "e=2 y",
      "f=x the rest",
    ]);
    expect(config("ENV f=1\nLABEL l=$f $f=m").Labels).toEqual({ l: "1", "1": "m" });
  });

  test("the last CMD counts, ENTRYPOINT drops the base's CMD, SHELL is used by the shell form", () => {
    const base = { Env: ["PATH=/bin"], Cmd: ["base"] };
    expect(config('ENTRYPOINT ["e"]', { config: base })).toMatchObject({ Entrypoint: ["e"], Cmd: null });
    expect(config('CMD ["c"]\nENTRYPOINT ["e"]', { config: base })).toMatchObject({ Entrypoint: ["e"], Cmd: ["c"] });
    expect(config('CMD a\nSHELL ["/bin/bash", "-c"]\nCMD b c').Cmd).toEqual(["/bin/bash", "-c", "b c"]);
  });

  test("WORKDIR joins, EXPOSE splits variables, VOLUME, USER and STOPSIGNAL are expanded", () => {
    const text =
      "ENV d=sub p='80 90/udp'\nWORKDIR /a\nWORKDIR $d/../x\nEXPOSE $p 1-2\nVOLUME /v/$d\nUSER ${u:-nobody}\nSTOPSIGNAL SIG${s:-TERM}";
    expect(config(text)).toMatchObject({
      WorkingDir: "/a/x",
      ExposedPorts: { "80/tcp": {}, "90/udp": {}, "1/tcp": {}, "2/tcp": {} },
      Volumes: { "/v/sub": {} },
      User: "nobody",
      StopSignal: "SIGTERM",
    });
    expect(lastStep("WORKDIR /x")).toMatchObject({ kind: "workdir", path: "/x", createdBy: "WORKDIR /x" });
  });

  test("a stage begins with a PATH, runs the base's triggers and does not hand them on", () => {
    const { state, triggers } = enterStage({ config: { OnBuild: ["RUN x", "COPY . /a"] } });
    expect(state.config.Env?.[0]).toMatch(/^PATH=\/usr\/local\/sbin/);
    expect(state.config).not.toHaveProperty("OnBuild");
    expect(triggers.map(({ kind }) => kind)).toEqual(["run", "copy"]);
  });
});

describe("ARG", () => {
  const run = (lines: string, given?: Given): Extract<Step, { kind: "run" }> => {
    const step = lastStep(`${lines}\nRUN x`, given);
    if (step.kind !== "run") throw new Error("not a run step");
    return step;
  };

  test("is unset before its line, has a default, a given value, or the global one", () => {
    expect(config("LABEL a=$A\nARG A=1\nLABEL b=$A").Labels).toEqual({ a: "", b: "1" });
    expect(run("ARG A=1\nARG B=${A}2\nARG C\nARG G", { buildArgs: { A: "x" }, globalArgs: { G: "g" } }).env).toEqual([
      "A=x",
      "B=x2",
      "G=g",
      "PATH=/bin",
    ]);
    expect(run("ARG A=1", { buildArgs: { A: null } }).env).toEqual(["PATH=/bin"]);
    expect(run("", { globalArgs: { G: "g" } }).env).toEqual(["PATH=/bin"]);
  });

  test("ENV wins over ARG, whichever comes first", () => {
    expect(run("ENV A=env\nARG A=arg").env).toEqual(["PATH=/bin", "A=env"]);
    expect(config("ARG A=arg\nENV A=env-$A\nLABEL l=$A").Labels).toEqual({ l: "env-arg" });
  });

  test("what is in effect stands in the history of RUN; proxies reach the process and leave no trace", () => {
    const step = run("ARG B=2\nARG A=1", { buildArgs: { http_proxy: "http://p", NOT_DECLARED: "x" } });
    expect(step.createdBy).toBe("RUN |2 A=1 B=2 /bin/sh -c x");
    expect(step.proxyEnv).toEqual(["http_proxy=http://p"]);
    expect(cacheInputs(step)).toBe(cacheInputs(run("ARG A=1\nARG B=2")));
    expect(cacheInputs(step)).not.toBe(cacheInputs(run("ARG A=1\nARG B=3")));
  });

  test("a variable that nobody set is warned of with the one that was meant", () => {
    expect(build("ENV VERSION=1\nLABEL a=$VERSOIN").last.warnings).toMatchObject([
      { rule: "UndefinedVar", suggestion: "$VERSION", location: { line: 3 } },
    ]);
  });

  test("an error in an expansion has the line", () => {
    expect(() => build("ENV a=1\nENV b=${c:?nothing}")).toThrow(
      'dockerfile parse error on line 3: failed to process "${c:?nothing}": c: nothing',
    );
  });
});

describe("RUN", () => {
  test.each<[string, object]>([
    ["RUN echo $x", { argv: ["/bin/sh", "-c", "echo $x"], user: "", workingDir: "/" }],
    ['RUN ["a", "$x"]', { argv: ["a", "$x"] }],
    ["RUN <<EOF\nset -e\n$x\nEOF", { argv: ["/bin/sh", "-c", "set -e\n$x\n"], scripts: [] }],
    ["RUN <<-EOF\n\tx\n\tEOF", { argv: ["/bin/sh", "-c", "x\n"] }],
    [
      "RUN <<EOF\n#!/usr/bin/env python3\nprint(1)\nEOF",
      { argv: ["/dev/pipes/EOF"], scripts: [{ path: "/dev/pipes/EOF", content: "#!/usr/bin/env python3\nprint(1)\n" }] },
    ],
    ["RUN cat <<A <<B\na\nA\nb\nB", { argv: ["/bin/sh", "-c", "cat <<A <<B\na\nA\nb\nB"] }],
    [
      "USER u\nWORKDIR /w\nENV c=/cache\nRUN --mount=type=cache,target=$c --mount=type=cache,target=rel,id=k-$c x",
      {
        user: "u",
        workingDir: "/w",
        mounts: [
          { id: "/cache", target: "/cache" },
          { id: "k-/cache", target: "/w/rel" },
        ],
      },
    ],
  ])("%j", (lines, expected) => expect(lastStep(lines)).toMatchObject({ kind: "run", ...expected }));

  test("a script cannot be written elsewhere, and nothing is mounted on the root", () => {
    expect(() => build("RUN <<../x\n#!/bin/sh\n../x")).toThrow("cannot be a file's name");
    expect(() => build("RUN --mount=type=tmpfs,target=/a/.. x")).toThrow('invalid mount target "/"');
  });
});

describe("COPY", () => {
  test.each<[string, object]>([
    ["WORKDIR /w\nCOPY a .", { sources: ["a"], destination: "/w/" }],
    ["WORKDIR /w\nCOPY a b", { destination: "/w/b" }],
    ["COPY a b /c/", { sources: ["a", "b"], destination: "/c/" }],
    ["COPY a /", { destination: "/" }],
    ["COPY a /x/..", { destination: "/" }],
    [
      "ENV u=me m=755\nCOPY --chown=$u:$u --chmod=$m a$u b",
      { chown: "me:me", chmod: "755", sources: ["ame"], createdBy: "COPY --chown=me:me --chmod=755 ame /b" },
    ],
    [
      "ENV x=1\nCOPY <<a <<'b' /d/\n\"$x\" ${y:-'z'}\na\n$x\nb",
      {
        files: [
          { name: "a", content: "\"1\" 'z'\n" },
          { name: "b", content: "$x\n" },
        ],
        sources: [],
      },
    ],
  ])("%j", (lines, expected) => expect(lastStep(lines)).toMatchObject(expected));

  test("several sources need a directory, a mode must be one, a file name is no path", () => {
    expect(() => build("COPY a b c")).toThrow(
      "dockerfile parse error on line 2: When using COPY with more than one source file, the destination must be a directory and end with a /",
    );
    expect(() => build("COPY --chmod=9 a b")).toThrow("invalid chmod parameter: '9'");
    expect(() => build("COPY <<../a /x\n../a")).toThrow("cannot be a file's name");
  });

  test("the key holds what decides the outcome and not where `--from` looked", () => {
    const key = (line: string): string => cacheInputs(lastStep(line));
    expect(key("COPY --from=a x /y")).toBe(key("COPY --from=b x /y"));
    expect(key("COPY x /y")).not.toBe(key("COPY --chown=1 x /y"));
    expect(key("COPY x /y")).not.toBe(key("ADD x /y"));
    expect(key("COPY <<a /y\n1\na")).not.toBe(key("COPY <<a /y\n2\na"));
  });
});
