import { FlotillaError } from "@flotilla/core";
import { describe, expect, test } from "vitest";
import { parseDockerfile, parseTrigger, type Instruction } from "./index.ts";

const bodies = (text: string): Instruction[] => parseDockerfile(text).stages.flatMap(({ instructions }) => instructions);
const only = (line: string): Instruction => bodies(`FROM scratch\n${line}\n`)[0]!;
const failure = (text: string): FlotillaError => {
  try {
    parseDockerfile(text);
  } catch (error) {
    if (error instanceof FlotillaError) return error;
    throw error;
  }
  throw new Error("it was accepted");
};
const rules = (text: string): string[] => parseDockerfile(text).warnings.map(({ rule }) => rule);

describe("lines", () => {
  test("continuations join, comments inside vanish, white space that begins a line stays", () => {
    const run = only("RUN a \\\n  # a comment\n   b \\  \n#another\n c");
    expect(run).toMatchObject({ kind: "run", command: { kind: "shell", line: "a    b  c" }, location: { line: 2, column: 1, endLine: 6 } });
  });

  test("an escaped escape at the end of a line does not continue it", () => {
    expect(bodies("FROM a\nRUN x\\\\\nRUN y").map((item) => item.kind)).toEqual(["run", "run"]);
  });

  test("an empty line in a continuation is skipped with a warning", () => {
    expect(only("RUN a \\\n\n b")).toMatchObject({ command: { line: "a  b" } });
    expect(rules("FROM a\nRUN a \\\n\n b")).toEqual(["NoEmptyContinuation"]);
  });

  test("byte order mark, DOS line ends and a missing last line end are no trouble", () => {
    expect(bodies("\uFEFFFROM a\r\nRUN b \\\r\n  c\r\nUSER d").map((item) => item.original)).toEqual(["RUN b   c", "USER d"]);
  });

  test("10,000 lines and a continuation of 10,000 lines are read", () => {
    expect(bodies(`FROM a\n${"RUN true\n".repeat(10_000)}`)).toHaveLength(10_000);
    expect(bodies(`FROM a\nRUN ${"x \\\n".repeat(10_000)} y`)).toHaveLength(1);
  });
});

describe("directives", () => {
  test("escape, syntax and check are read in any case and order", () => {
    const { directives, stages } = parseDockerfile(
      "# Escape=`\n#syntax = docker/dockerfile:1\n# check=skip=JSONArgsRecommended;error=true\nFROM a\nRUN b `\n c\\",
    );
    expect(directives).toMatchObject({ escape: "`", syntax: "docker/dockerfile:1", check: { isError: true } });
    expect(stages[0]?.instructions[0]).toMatchObject({ command: { line: "b  c\\" } });
  });

  test.each(["# a comment\n", "\n", "# unknown=x\n"])("after %j a directive is a comment", (before) => {
    expect(parseDockerfile(`${before}# escape=\`\nFROM a`).directives.escape).toBe("\\");
  });

  test("one given twice and an impossible escape are refused", () => {
    expect(failure("# escape=`\n# escape=`\nFROM a").message).toBe(
      "dockerfile parse error on line 2: only one escape parser directive can be used",
    );
    expect(failure("# escape=x\nFROM a").message).toContain("invalid ESCAPE 'x'");
  });

  test("check=error makes the first warning an error, check=skip takes it away", () => {
    expect(failure("# check=error=true\nFROM a\nMAINTAINER me").message).toContain("MaintainerDeprecated");
    expect(rules("# check=skip=MaintainerDeprecated\nFROM a\nMAINTAINER me")).toEqual([]);
    expect(rules("# check=skip=all\nFROM a AS B\nMAINTAINER me\nCMD x")).toEqual([]);
  });
});

describe("heredocs", () => {
  test("several, quoted and chomped, belong to their instruction", () => {
    const copy = only('COPY <<one.txt <<-"two" /d/\nA $x\n\ttab\none.txt\n\tindented\n\ttwo\nUSER u');
    expect(copy).toMatchObject({
      kind: "copy",
      sources: [],
      destination: "/d/",
      files: [
        { name: "one.txt", content: "A $x\n\ttab\n", isExpanded: true, isChomped: false },
        { name: "two", content: "\tindented\n", isExpanded: false, isChomped: true },
      ],
      location: { endLine: 7 },
    });
  });

  test("RUN keeps the documents of its line", () => {
    expect(only("RUN --network=none cat <<EOF > /x && cat <<'E2'\nhello\nEOF\n\nE2\n")).toMatchObject({
      command: { line: "cat <<EOF > /x && cat <<'E2'" },
      network: "none",
      heredocs: [
        { name: "EOF", content: "hello\n" },
        { name: "E2", content: "\n", isExpanded: false },
      ],
    });
  });

  test("a document without end names the line that began it", () => {
    expect(failure("FROM a\nRUN <<EOF\nx\n").message).toMatch(/^dockerfile parse error on line 2: unterminated heredoc/);
  });

  test.each(['RUN ["cat", "<<EOF"]', "RUN cat <<<word", "RUN echo '<<EOF'", 'RUN echo "a <<b"', "USER <<EOF", "RUN echo $((1<<2))"])(
    "%s has none",
    (line) => {
      expect(bodies(`FROM a\n${line}\nCMD ["x"]`)).toHaveLength(2);
    },
  );

  test("it cannot be a destination", () => {
    expect(failure("FROM a\nCOPY a <<EOF\nEOF").message).toContain("COPY cannot accept a heredoc as a destination");
  });
});

describe("instructions", () => {
  test.each<[string, object]>([
    [
      "ARG a b=1 c='x y'",
      {
        kind: "arg",
        args: [
          { name: "a", defaultValue: undefined },
          { name: "b", defaultValue: "1" },
          { name: "c", defaultValue: "'x y'" },
        ],
      },
    ],
    [
      "ENV a=1 b='x y' c=d\\ e",
      {
        pairs: [
          { name: "a", value: "1" },
          { name: "b", value: "'x y'" },
          { name: "c", value: "d\\ e" },
        ],
      },
    ],
    ["ENV a it's the rest", { pairs: [{ name: "a", value: "it's the rest" }] }],
    ['LABEL "com.x y"=z', { kind: "label", pairs: [{ name: '"com.x y"', value: "z" }] }],
    ['CMD ["a", "b"]', { kind: "cmd", command: { kind: "exec", argv: ["a", "b"] } }],
    ["CMD [a, b]", { kind: "cmd", command: { kind: "shell", line: "[a, b]" } }],
    ["ENTRYPOINT exec top", { kind: "entrypoint", command: { kind: "shell", line: "exec top" } }],
    ["EXPOSE 80 $P/udp 1-3", { kind: "expose", ports: ["80", "$P/udp", "1-3"] }],
    ['VOLUME ["/a b", "/c"]', { kind: "volume", paths: ["/a b", "/c"] }],
    ["VOLUME /a /b", { kind: "volume", paths: ["/a", "/b"] }],
    ["user  1000:1000", { kind: "user", user: "1000:1000" }],
    ["WORKDIR /a b", { kind: "workdir", path: "/a b" }],
    ["STOPSIGNAL SIGQUIT", { kind: "stopsignal", signal: "SIGQUIT" }],
    ['SHELL ["/bin/bash", "-c"]', { kind: "shell", argv: ["/bin/bash", "-c"] }],
    [
      "HEALTHCHECK --interval=5s --retries=2 CMD test -f /x",
      { healthcheck: { Interval: 5e9, Retries: 2, Test: ["CMD-SHELL", "test -f /x"] } },
    ],
    ["HEALTHCHECK NONE", { healthcheck: { Test: ["NONE"] } }],
    ["ONBUILD COPY --chown=1 . /x", { kind: "onbuild", trigger: "COPY --chown=1 . /x" }],
    [
      "COPY --from=b --chown=u:g --chmod=755 --link --exclude=*.a --exclude=b --parents a b c/",
      {
        from: "b",
        chown: "u:g",
        chmod: "755",
        isLink: true,
        exclude: ["*.a", "b"],
        keepsParents: true,
        sources: ["a", "b"],
        destination: "c/",
      },
    ],
    ['COPY ["a b", "c"]', { sources: ["a b"], destination: "c" }],
    [
      `ADD --checksum=sha256:${"a".repeat(64)} --keep-git-dir=true x y`,
      { kind: "add", checksum: `sha256:${"a".repeat(64)}`, keepsGitDir: true },
    ],
    [
      "RUN --mount=type=cache,target=/c,sharing=locked,mode=0755,uid=1 x",
      {
        mounts: [
          { type: "cache", id: "/c", target: "/c", sharing: "locked", owner: { mode: 0o755, uid: 1, gid: undefined }, isReadOnly: false },
        ],
      },
    ],
    [
      "RUN --mount=target=/b,from=s,source=/x,rw x",
      { mounts: [{ type: "bind", from: "s", source: "/x", target: "/b", isReadOnly: false }] },
    ],
    [
      "RUN --mount=type=secret,id=k,required --mount=type=secret,id=t,env=TOK x",
      {
        mounts: [
          { type: "secret", id: "k", target: "/run/secrets/k", isRequired: true },
          { id: "t", env: "TOK", target: undefined },
        ],
      },
    ],
    [
      "RUN --mount=type=tmpfs,target=/t,size=1g --mount=type=ssh --security=insecure x",
      {
        mounts: [
          { type: "tmpfs", sizeBytes: 2 ** 30 },
          { type: "ssh", id: "default" },
        ],
        security: "insecure",
      },
    ],
    ["RUN -- --not-a-flag", { command: { line: "--not-a-flag" } }],
    ["RUN --mount=type=bind,target=/a \\\n  --network=host x", { network: "host", mounts: [{ target: "/a", isReadOnly: true }] }],
  ])("%s", (line, expected) => expect(only(line)).toMatchObject(expected));

  test("FROM has a platform and a name", () => {
    expect(parseDockerfile("ARG V=1\nFROM --platform=$BUILDPLATFORM a:$V as Build\nFROM scratch")).toMatchObject({
      globalArgs: [{ name: "V", defaultValue: "1" }],
      stages: [
        { index: 0, from: { base: "a:$V", name: "build", platform: "$BUILDPLATFORM" } },
        { index: 1, from: { base: "scratch", name: undefined } },
      ],
    });
  });

  test("a trigger is parsed when it fires", () => {
    expect(parseTrigger("RUN <<EOF\nx\nEOF")).toMatchObject({ kind: "run", heredocs: [{ content: "x\n" }] });
    expect(() => parseTrigger("FROM x")).toThrow("FROM isn't allowed as an ONBUILD trigger");
  });
});

describe("errors name line, column and what was meant", () => {
  test.each<[string, string, object]>([
    [
      "FROM a\n\n  RUNN x",
      "dockerfile parse error on line 3: unknown instruction: RUNN (did you mean RUN?)",
      { line: 3, column: 3, suggestion: "RUN" },
    ],
    ["FRMO a", "dockerfile parse error on line 1: unknown instruction: FRMO (did you mean FROM?)", { line: 1 }],
    ["FROM a\nFLY x", "dockerfile parse error on line 2: unknown instruction: FLY", { line: 2 }],
    ["FROM a\nCOPY --form=x a b", "dockerfile parse error on line 2: unknown flag: --form (did you mean --from?)", { line: 2, column: 6 }],
    ["FROM a\nCOPY a \\\n b \\\n  c", "", {}],
    [
      "FROM a\nRUN \\\n  --netwrok=none x",
      "dockerfile parse error on line 3: unknown flag: --netwrok (did you mean --network?)",
      { line: 3, column: 3 },
    ],
    ["FROM a\nCOPY --from=x --from=y a b", "dockerfile parse error on line 2: duplicate flag specified: from", { column: 15 }],
    ["FROM a\nCOPY --from a b", "dockerfile parse error on line 2: missing a value on flag: from", {}],
    ["FROM a\nCOPY --link=maybe a b", "dockerfile parse error on line 2: expecting boolean value for flag link, not: maybe", {}],
    ["FROM a\nCOPY --from=$x a b", "variable expansion is not supported for --from", {}],
    ["FROM a\nCOPY a", "COPY requires at least two arguments, but only one was provided. Destination could not be determined", {}],
    ["FROM a\nADD", "ADD requires at least two arguments", {}],
    ["FROM a b", "FROM requires either one or three arguments", {}],
    ["FROM a AS 1x", 'invalid name for build stage: "1x", name can\'t start with a number or contain symbols', {}],
    ["FROM a\nENV", "ENV requires at least one argument", {}],
    ["FROM a\nENV x", "ENV must have two arguments", {}],
    ["FROM a\nENV a=1 b", 'Syntax error - can\'t find = in "b". Must be of the form: name=value', {}],
    ["FROM a\nENV =1", "ENV names can not be blank", {}],
    ["FROM a\nSHELL /bin/sh", "SHELL requires the arguments to be in JSON form", {}],
    ["FROM a\nCMD [1]", "when using JSON array syntax, arrays must be comprised of strings only", {}],
    ["FROM a\nONBUILD ONBUILD RUN x", "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed", {}],
    ["FROM a\nONBUILD FROM x", "FROM isn't allowed as an ONBUILD trigger", {}],
    ["FROM a\nHEALTHCHECK CDM x", 'Unknown type "CDM" in HEALTHCHECK (try CMD)', {}],
    ["FROM a\nRUN", "RUN requires at least one argument", {}],
    ["FROM a\nRUN --mount=type=cahce,target=/x y", 'unsupported mount type "cahce" (did you mean cache?)', { line: 2, column: 5 }],
    ["FROM a\nRUN --mount=type=cache y", 'target is required for mount type "cache"', {}],
    ["FROM a\nRUN --mount=type=tmpfs,target=/x,sharing=shared y", "unexpected key 'sharing' for mount type 'tmpfs'", {}],
    ["FROM a\nRUN --network=hots x", 'network "hots" is not valid (did you mean host?)', {}],
    ["FROM a\nADD --checksum=md5:1 a b", "invalid checksum digest format: md5:1", {}],
    ["RUN x\nFROM a", "no build stage in current context", { line: 1 }],
    ["", "file with no instructions", {}],
    ["# only a comment\n", "file with no instructions", {}],
    ["ARG x", "no build stage in current context", {}],
  ])("%j", (text, message, details) => {
    if (message === "") return void parseDockerfile(text);
    const error = failure(text);
    expect(error.message).toContain(message);
    expect(error.code).toBe("invalid");
    expect(error.details).toMatchObject(details);
  });
});

test("warnings have BuildKit's names and the line", () => {
  const text = 'from a As Build\nMaintainer me\nENV PASSWORD x\nARG GH_TOKEN\nCMD a\nCMD ["b"]\nFROM b AS build\nFROM c AS scratch\n';
  expect(parseDockerfile(text).warnings.map(({ rule, location }) => `${location.line} ${rule}`)).toEqual([
    "1 FromAsCasing",
    "1 StageNameCasing",
    "2 ConsistentInstructionCasing",
    "2 MaintainerDeprecated",
    "3 SecretsUsedInArgOrEnv",
    "3 LegacyKeyValueFormat",
    "4 SecretsUsedInArgOrEnv",
    "5 JSONArgsRecommended",
    "5 MultipleInstructionsDisallowed",
    "7 DuplicateStageName",
    "8 ReservedStageName",
  ]);
});
