// docker attach and the attached side of docker run, by the unmodified docker command.
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { startTestAgent, type TestAgent } from "../support/agent.ts";
import { liveDocker, terminalDocker } from "../support/live-command.ts";

let agent: TestAgent;

beforeAll(async () => {
  agent = await startTestAgent();
});
afterAll(async () => agent.close());
afterEach(async () => {
  const ids = (await agent.docker(["ps", "-aq"])).stdout.split("\n").filter((id) => id !== "");
  if (ids.length > 0) await agent.docker(["rm", "-f", ...ids]);
});

const run = (...args: string[]) => liveDocker(agent.host, ["run", "--rm", ...args]);

describe("docker run, attached", () => {
  test("misses not one byte of a program that writes at once and ends", async () => {
    for (let round = 0; round < 5; round++) {
      const { stdout, stderr, exitCode } = await agent.docker(["run", "--rm", "busybox", "sh", "-c", "seq 1 2000; echo last >&2"]);
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "last\n" });
      expect(stdout).toBe(Array.from({ length: 2000 }, (_, index) => `${index + 1}\n`).join(""));
    }
  });

  test("carries 20 MB without losing or mixing any", async () => {
    const { stdout } = await agent.docker(["run", "--rm", "busybox", "sh", "-c", "head -c 20000000 /dev/zero | tr '\\0' x"]);
    expect(stdout.length).toBe(20_000_000);
    expect(/^x+$/.test(stdout)).toBe(true);
  });

  test("binary input comes back as it went in", async () => {
    const input = Buffer.from(Array.from({ length: 100_000 }, (_, index) => index % 251));
    const { stdout } = await agent.docker(["run", "-i", "--rm", "busybox", "sha256sum"], { input });
    const { createHash } = await import("node:crypto");
    expect(stdout).toBe(`${createHash("sha256").update(input).digest("hex")}  -\n`);
  });

  test("a program that does not read its input still ends", async () => {
    const { exitCode } = await agent.docker(["run", "-i", "--rm", "busybox", "sleep", "0.3"], { input: "x".repeat(500_000) });
    expect(exitCode).toBe(0);
  });

  test("input stays open while the client is there, and ends with it", async () => {
    const cat = run("-i", "--name", "talk", "busybox", "cat");
    cat.write("one\n");
    await cat.until(/^one\n$/);
    cat.write("two\n");
    await cat.until(/^one\ntwo\n$/);
    cat.endInput();
    expect(await cat.exited).toBe(0);
  });

  test("an attached viewer that leaves does not end the input of the one that talks", async () => {
    const cat = run("-i", "--name", "shared", "busybox", "cat");
    cat.write("one\n");
    await cat.until(/one/);
    const viewer = liveDocker(agent.host, ["attach", "--no-stdin", "--sig-proxy=false", "shared"]);
    await expect
      .poll(() => {
        cat.write("two\n");
        return viewer.text();
      })
      .toContain("two");
    viewer.kill("SIGKILL");
    await viewer.exited;
    cat.write("three\n");
    await cat.until(/three/);
    cat.endInput();
    expect(await cat.exited).toBe(0);
    expect(cat.text()).toMatch(/^one\n(two\n)+three\n$/);
  });

  test("signals of the client reach the program", async () => {
    const trap = run("busybox", "sh", "-c", "trap 'echo caught; exit 9' TERM; echo ready; while true; do sleep 0.1; done");
    await trap.until(/ready/);
    trap.kill("SIGTERM");
    expect(await trap.exited).toBe(9);
    expect(trap.text()).toBe("ready\ncaught\n");
  });
});

describe("docker run -it", () => {
  test("has a terminal of the client's size that follows it", async () => {
    const shell = terminalDocker(agent.host, ["run", "-it", "--rm", "busybox", "sh"], { rows: 33, columns: 101 });
    await shell.until(/# /);
    shell.write("stty size; tty\r");
    await shell.until(/33 101[^]*\/dev\/pts\/0/);
    shell.resize(40, 120);
    await expect
      .poll(async () => {
        shell.write("stty size\r");
        await new Promise((resolve) => setTimeout(resolve, 50));
        return /40 120/.test(shell.text());
      })
      .toBe(true);
    shell.write("exit 4\r");
    expect(await shell.exited).toBe(4);
  });

  test("ctrl-p ctrl-q detaches, and attach comes back", async () => {
    const shell = terminalDocker(agent.host, ["run", "-it", "--name", "leave", "busybox", "sh"]);
    await shell.until(/# /);
    shell.write("MARK=kept\r");
    // The docker command drops what it reads together with the keys.
    await shell.until(/MARK=kept[^]*# /);
    shell.write("\x10\x11");
    expect(await shell.exited).toBe(0);
    expect(await agent.inspect("leave", "{{.State.Running}}")).toBe("true");
    const again = terminalDocker(agent.host, ["attach", "leave"]);
    again.write("echo $MARK-still\r");
    await again.until(/kept-still/);
    again.write("exit\r");
    expect(await again.exited).toBe(0);
  });

  test("other detach keys can be chosen", async () => {
    const shell = terminalDocker(agent.host, ["run", "-it", "--name", "keys", "--detach-keys", "ctrl-x,q", "busybox", "sh"]);
    await shell.until(/# /);
    shell.write("\x18q");
    expect(await shell.exited).toBe(0);
    expect(await agent.inspect("keys", "{{.State.Running}}")).toBe("true");
  });
});

describe("docker attach and start", () => {
  test("start -a -i gives output and input of a container that was made before", async () => {
    await agent.docker(["create", "-i", "--name", "later", "busybox", "cat"]);
    const { stdout, exitCode } = await agent.docker(["start", "-a", "-i", "later"], { input: "through\n" });
    expect({ stdout, exitCode }).toEqual({ stdout: "through\n", exitCode: 0 });
  });

  test("several viewers see the same", async () => {
    await agent.docker(["run", "-d", "--name", "tick", "busybox", "sh", "-c", "i=0; while true; do i=$((i+1)); echo t$i; sleep 0.1; done"]);
    const viewers = [1, 2, 3].map(() => liveDocker(agent.host, ["attach", "--no-stdin", "--sig-proxy=false", "tick"]));
    await Promise.all(viewers.map((viewer) => viewer.until(/t\d+\n(t\d+\n){3}/)));
    await agent.docker(["kill", "tick"]);
    expect(await Promise.all(viewers.map((viewer) => viewer.exited))).toEqual([137, 137, 137]);
  });

  test("a viewer that does not read holds the program up, and never its end", async () => {
    await agent.docker(["run", "-d", "--name", "flood", "busybox", "sh", "-c", "sleep 1; yes"]);
    const viewer = liveDocker(agent.host, ["attach", "--no-stdin", "--sig-proxy=false", "flood"]);
    viewer.kill("SIGSTOP");
    await new Promise((resolve) => setTimeout(resolve, 2500));
    expect((await agent.docker(["rm", "-f", "flood"])).exitCode).toBe(0);
    viewer.kill("SIGKILL");
    await viewer.exited;
  });

  test("a paused and a missing container are refused in Docker's words", async () => {
    await agent.docker(["run", "-d", "--name", "frozen", "busybox", "sleep", "600"]);
    await agent.docker(["pause", "frozen"]);
    expect((await agent.docker(["attach", "frozen"])).stderr).toMatch(/cannot attach to a paused container|unpause/i);
    await agent.docker(["unpause", "frozen"]);
    expect((await agent.docker(["attach", "nobody"])).stderr).toContain("No such container: nobody");
  });
});
