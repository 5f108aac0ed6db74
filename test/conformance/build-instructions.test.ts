// Every row of the manual's Dockerfile table, with the real docker command and the classic protocol.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestAgent, type TestAgent } from "../support/agent.ts";
import { build, imageField, makeContext, shell } from "../support/build.ts";

let agent: TestAgent;

beforeAll(async () => {
  agent = await startTestAgent();
});
afterAll(async () => agent.close());

/** Builds a Dockerfile with files beside it; fails with Docker's output. */
async function built(name: string, dockerfile: string, options: { files?: Record<string, string>; args?: string[] } = {}): Promise<string> {
  const result = await build(agent, { Dockerfile: dockerfile, ...options.files }, ["-t", name, ...(options.args ?? [])]);
  expect(result.exitCode, `${result.stdout}\n${result.stderr}`).toBe(0);
  return result.stdout;
}

async function failed(
  dockerfile: string,
  options: { files?: Record<string, string>; args?: string[] } = {},
): Promise<{ exitCode: number; text: string }> {
  const result = await build(agent, { Dockerfile: dockerfile, ...options.files }, options.args);
  expect(result.exitCode, result.stdout).not.toBe(0);
  return { exitCode: result.exitCode, text: result.stdout + result.stderr };
}

describe("FROM", () => {
  test("prints Docker's lines, takes the tag latest and gives the image its names", async () => {
    const output = await built("from:1", "FROM busybox\nRUN echo hello\n", { args: ["-t", "from:2"] });
    expect(output).toMatch(
      /Step 1\/2 : FROM busybox\n ---> [0-9a-f]{12}\nStep 2\/2 : RUN echo hello\n ---> Running in [0-9a-f]{12}\nhello\nRemoving intermediate container [0-9a-f]{12}\n ---> [0-9a-f]{12}\nSuccessfully built [0-9a-f]{12}\nSuccessfully tagged from:1\nSuccessfully tagged from:2\n/,
    );
    expect((await agent.docker(["images", "-q", "from"])).stdout.trim().split("\n")).toHaveLength(2);
  });

  test("scratch is nothing, and stages hand files on", async () => {
    await built(
      "scratch:1",
      'FROM busybox AS tools\nRUN echo made > /made\nFROM scratch\nCOPY --from=tools /made /bin/ /\nCMD ["/cat","/made"]\n',
    );
    expect((await agent.docker(["run", "--rm", "scratch:1"])).stdout).toBe("made\n");
  });

  test("a target stage ends the build, and stages that it does not need are not built", async () => {
    const dockerfile = "FROM busybox AS a\nRUN echo in-a\nFROM busybox AS b\nRUN echo in-b\nFROM a AS c\nRUN echo in-c\n";
    const output = await built("target:1", dockerfile, { args: ["--target", "c"] });
    expect(output).toContain("in-a");
    expect(output).not.toContain("in-b");
    const { text } = await failed(dockerfile, { args: ["--target", "zz"] });
    expect(text).toMatch(/target stage "zz" could not be found/);
  });

  test("a missing image, a loop of stages and another platform are refused in words", async () => {
    expect((await failed("FROM nowhere.invalid/x\n")).text).toMatch(/nowhere\.invalid/);
    expect((await failed("FROM busybox AS a\nCOPY --from=b /x /\nFROM busybox AS b\nCOPY --from=a /x /\n")).text).toMatch(
      /circular dependency/,
    );
    expect((await failed("FROM --platform=linux/arm64 busybox\n")).text).toMatch(/platform|arm64/);
  });
});

describe("metadata", () => {
  test("labels, maintainer, ports, volumes, user, stop signal, commands and shell are in the configuration", async () => {
    await built(
      "meta:1",
      [
        "FROM busybox",
        "MAINTAINER me@example",
        'LABEL one=1 "two words"="a b"',
        "EXPOSE 80 53/udp",
        "VOLUME /data",
        "USER nobody",
        "STOPSIGNAL SIGINT",
        'SHELL ["/bin/sh","-ec"]',
        "CMD echo first",
        "CMD echo second",
        'ENTRYPOINT ["/bin/sh","-c","echo entry $0 $@"]',
        "HEALTHCHECK --interval=5s --retries=2 CMD true",
        "ONBUILD RUN echo triggered",
      ].join("\n"),
      { args: ["--label", "three=it's $HOME"] },
    );
    expect(await imageField(agent, "meta:1", ".Author")).toBe("me@example");
    expect(await imageField(agent, "meta:1", ".Config.Labels")).toEqual({ one: "1", "two words": "a b", three: "it's $HOME" });
    expect(await imageField(agent, "meta:1", ".Config.ExposedPorts")).toEqual({ "53/udp": {}, "80/tcp": {} });
    expect(await imageField(agent, "meta:1", ".Config.Volumes")).toEqual({ "/data": {} });
    expect(await imageField(agent, "meta:1", ".Config.User")).toBe("nobody");
    expect(await imageField(agent, "meta:1", ".Config.StopSignal")).toBe("SIGINT");
    expect(await imageField(agent, "meta:1", ".Config.Cmd")).toEqual(["/bin/sh", "-ec", "echo second"]);
    expect(await imageField(agent, "meta:1", ".Config.Healthcheck")).toMatchObject({
      Test: ["CMD-SHELL", "true"],
      Interval: 5_000_000_000,
      Retries: 2,
    });
    expect(await imageField(agent, "meta:1", ".Config.OnBuild")).toEqual(["RUN echo triggered"]);
    expect((await agent.docker(["run", "--rm", "meta:1", "x"])).stdout).toBe("entry x\n");
  });

  test("triggers run in the image that is built on top, once", async () => {
    await built("trigger:1", "FROM busybox\nONBUILD RUN echo triggered\nONBUILD COPY f /f\n");
    const output = await built("trigger:2", "FROM trigger:1\n", { files: { f: "x" } });
    expect(output).toMatch(/# Executing 2 build triggers\n[\s\S]*triggered/);
    expect(await shell(agent, "trigger:2", "cat /f")).toBe("x");
    expect(await built("trigger:3", "FROM trigger:2\n")).not.toContain("triggered");
  });

  test("shell and exec form of CMD and ENTRYPOINT combine as in Docker", async () => {
    await built("forms:1", 'FROM busybox\nENTRYPOINT ["echo","e"]\nCMD ["c"]\n');
    expect((await agent.docker(["run", "--rm", "forms:1"])).stdout).toBe("e c\n");
    expect((await agent.docker(["run", "--rm", "forms:1", "mine"])).stdout).toBe("e mine\n");
    await built("forms:2", "FROM forms:1\nENTRYPOINT echo shell\n");
    expect((await agent.docker(["run", "--rm", "forms:2", "ignored"])).stdout).toBe("shell\n");
  });
});

describe("ENV, ARG and WORKDIR", () => {
  test("variables are used later and in the running container", async () => {
    await built(
      "env:1",
      'FROM busybox\nENV A=one B="two words"\nENV C three four\nWORKDIR /w/$A\nWORKDIR sub\nRUN pwd > /pwd; echo $A-$B-$C > /abc\n',
    );
    expect(await shell(agent, "env:1", "cat /pwd /abc; pwd; echo $B")).toBe("/w/one/sub\none-two words-three four\n/w/one/sub\ntwo words");
    expect(await shell(agent, "env:1", "stat -c '%u %a' /w /w/one/sub")).toBe("0 755\n0 755");
  });

  test("arguments have defaults, are overridden, reach RUN and not the container, and warn when nobody declared them", async () => {
    const dockerfile = 'ARG TAG=latest\nFROM busybox:$TAG\nARG X=default\nARG TAG\nRUN echo "x=$X tag=$TAG"\n';
    expect(await built("arg:1", dockerfile)).toContain("x=default tag=latest");
    const output = await built("arg:1", dockerfile, { args: ["--build-arg", "X=given", "--build-arg", "NOBODY=1"] });
    expect(output).toContain("x=given tag=latest");
    expect(output).toContain("[Warning] One or more build-args [NOBODY] were not consumed");
    expect(await shell(agent, "arg:1", 'echo "[$X]"')).toBe("[]");
  });

  test("a proxy reaches RUN without a declaration and leaves nothing in history or cache", async () => {
    const dockerfile = "FROM busybox\nRUN echo proxy=$HTTP_PROXY\n";
    expect(await built("proxy:1", dockerfile, { args: ["--build-arg", "HTTP_PROXY=http://secret@p"] })).toContain("proxy=http://secret@p");
    expect((await agent.docker(["history", "--no-trunc", "proxy:1"])).stdout).not.toContain("secret");
    expect(await built("proxy:1", dockerfile, { args: ["--build-arg", "HTTP_PROXY=other"] })).toContain("Using cache");
  });
});

describe("RUN", () => {
  test("shell and exec form, standard error in red, and the exit code in Docker's sentence", async () => {
    expect(await built("run:1", 'FROM busybox\nRUN ["echo","exec $HOME"]\nRUN echo err >&2\n')).toMatch(/exec \$HOME[\s\S]*\[91merr\n/);
    const result = await failed("FROM busybox\nRUN exit 7\n");
    expect(result).toMatchObject({ exitCode: 7 });
    expect(result.text).toContain("The command '/bin/sh -c exit 7' returned a non-zero code: 7");
    expect((await agent.docker(["ps", "-aq"])).stdout).toBe("");
  });

  test("heredocs run in the shell or in the interpreter that they name", async () => {
    const dockerfile = "FROM busybox\nRUN <<EOF\necho one > /one\necho two >> /one\nEOF\nRUN <<EOF\n#!/bin/busybox sh\necho $0\nEOF\n";
    expect(await built("heredoc:1", dockerfile)).toContain("/dev/pipes/EOF");
    expect(await shell(agent, "heredoc:1", "cat /one")).toBe("one\ntwo");
  });

  test("a cache mount is kept from build to build and is not in the image", async () => {
    const dockerfile = (n: number): string => `FROM busybox\nRUN --mount=type=cache,target=/c/d echo ${n} >> /c/d/n; cat /c/d/n\n`;
    expect(await built("cache:1", dockerfile(1))).toContain("\n1\n");
    expect(await built("cache:1", dockerfile(2))).toContain("\n1\n2\n");
    expect(await shell(agent, "cache:1", "ls -d /c || echo none")).toBe("none");
  });

  test("bind mounts show the context or a stage and leave nothing, tmpfs is empty", async () => {
    const output = await built(
      "mounts:1",
      [
        "FROM busybox AS s",
        "RUN echo staged > /staged",
        "FROM busybox",
        "RUN --mount=target=/ctx cat /ctx/f && ! touch /ctx/no 2>/dev/null",
        "RUN --mount=from=s,source=/staged,target=/in/staged,rw cat /in/staged && echo changed > /in/staged",
        "RUN --mount=type=tmpfs,target=/t,size=1m touch /t/x && mount | grep ' /t '",
        "COPY --from=s /staged /again",
      ].join("\n"),
      { files: { f: "from-context\n" } },
    );
    expect(output).toMatch(/from-context[\s\S]*staged[\s\S]*size=1024k/);
    expect(await shell(agent, "mounts:1", "cat /again; ls -d /ctx /in /t 2>/dev/null || echo none")).toBe("staged\nnone");
  });

  test("a secret that is needed is refused with a sentence, an optional one is absent", async () => {
    expect((await failed("FROM busybox\nRUN --mount=type=secret,id=k,required=true cat /run/secrets/k\n")).text).toMatch(
      /secret k: not found/,
    );
    expect(await built("secret:1", "FROM busybox\nRUN --mount=type=secret,id=k ls /run/secrets/k || echo absent\n")).toContain("absent");
    expect((await failed("FROM busybox\nRUN --security=insecure true\n")).text).toContain("refused");
  });

  test("networks, extra hosts and limits reach the container", async () => {
    const dockerfile =
      "FROM busybox\nRUN --network=none ip link | grep -c eth0 || echo no-net\nRUN grep there /etc/hosts\nRUN ulimit -n; df -k /dev/shm | tail -1\n";
    const args = ["--add-host", "there:10.1.2.3", "--ulimit", "nofile=123:123", "--shm-size", "8m", "--memory", "64m"];
    expect(await built("limits:1", dockerfile, { args })).toMatch(/no-net[\s\S]*10\.1\.2\.3\s+there[\s\S]*\n123\n[\s\S]*8192/);
    expect(await shell(agent, "limits:1", "grep -c there /etc/hosts || true")).toBe("0");
  });
});

describe("errors in a Dockerfile", () => {
  test("all of them are told, with line and what was probably meant", async () => {
    const { text } = await failed("FROM busybox\nRUM echo x\nCOPYY a b\n");
    expect(text).toMatch(/dockerfile parse error on line 2: unknown instruction: RUM \(did you mean RUN\?\)/);
    expect(text).toMatch(/line 3: unknown instruction: COPYY \(did you mean COPY\?\)/);
  });

  test.each([
    ["", /cannot be empty/],
    ["RUN true\n", /no build stage in current context/],
    ["FROM busybox\nRUN <<EOF\nnever ends\n", /unterminated heredoc/],
    ["FROM busybox\nCOPY one\n", /COPY requires at least two arguments/],
  ])("%j is refused", async (dockerfile, words) => {
    expect((await failed(dockerfile)).text).toMatch(words);
  });

  test("a Dockerfile elsewhere in the context is found, with its own escape character", async () => {
    const context = makeContext(agent, { "sub/Other": "# escape=`\nFROM busybox\nRUN echo `\n  other\n" });
    const result = await build(agent, context, ["-t", "file:1", "-f", `${context}/sub/Other`]);
    expect(result.stdout, result.stderr).toContain("\nother\n");
  });
});
