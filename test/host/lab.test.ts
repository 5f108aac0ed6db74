import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { hostConfig, labDirectory } from "../lab/lab-plan.ts";
import { Lab } from "../lab/lab.ts";
import { findInits } from "../lab/nodes.ts";
import { makeBusyboxTar } from "../support/busybox-image.ts";
import { leftOf } from "../support/leftovers.ts";

const NAME = `t${process.pid}`;
const directory = mkdtempSync(join(tmpdir(), "flotilla-lab-"));
let lab: Lab;

const ok = async (result: Promise<{ exitCode: number; stdout: string; stderr: string }>): Promise<string> => {
  const { exitCode, stdout, stderr } = await result;
  expect(exitCode, stderr).toBe(0);
  return stdout.trim();
};
/** Whether one of three pings comes back. */
const reaches = async (from: string, to: string, family: 4 | 6 = 4): Promise<boolean> => {
  const argv = ["/bin/busybox", "ping", "-c", "3", "-i", "0.1", "-W", "1", "-A", lab.address(to, family)] as const;
  return (await lab.exec(from, [...argv])).exitCode === 0;
};

beforeAll(async () => {
  lab = await Lab.up(NAME, { hostCount: 2 });
  await ok(lab.docker("h1", ["import", "--change", 'CMD ["sh"]', await makeBusyboxTar(directory), "busybox:latest"]));
});

afterAll(async () => {
  const instances = lab.hosts.map((host) => hostConfig(lab.plan, host).instance);
  await lab.down();
  rmSync(directory, { recursive: true, force: true });
  expect(await leftOf([...instances, labDirectory(NAME), ...instances.map((instance) => `fl${instance.slice(0, 6)}`)])).toEqual([]);
  expect(existsSync(labDirectory(NAME))).toBe(false);
  expect(findInits(NAME).size).toBe(0);
});

test("hosts are joined to the control plane and reach each other on the underlay", async () => {
  const status = await lab.status();
  expect(status.hosts.map(({ host, isOn, isAgentUp, isOnline }) => ({ host, isOn, isAgentUp, isOnline }))).toEqual([
    { host: "h1", isOn: true, isAgentUp: true, isOnline: true },
    { host: "h2", isOn: true, isAgentUp: true, isOnline: true },
  ]);
  expect(await reaches("h1", "h2")).toBe(true);
  expect(await reaches("h1", "h2", 6)).toBe(true);
  expect(await ok(lab.exec("h2", ["hostname"]))).toBe("h2");
});

test("each host has an engine of its own", async () => {
  expect(await ok(lab.docker("h1", ["images", "-q"]))).not.toBe("");
  expect(await ok(lab.docker("h2", ["images", "-q"]))).toBe("");
  expect(await ok(lab.exec("h1", ["docker", "run", "--rm", "busybox", "hostname", "-i"]))).toMatch(/^172\./);
});

test("a cut is one pair, one way or both, and heals", async () => {
  await lab.cut("h1", "h2");
  expect(await reaches("h1", "h2")).toBe(false);
  expect(await reaches("h1", "control")).toBe(true);
  expect((await lab.status()).cuts).toEqual(["h1 -> h2", "h2 -> h1"]);
  await lab.heal("h1", "h2");
  await lab.heal("h1", "h2");
  expect(await reaches("h1", "h2")).toBe(true);
  await lab.cut("h2", "h1", true);
  expect((await lab.status()).cuts).toEqual(["h2 -> h1"]);
  await lab.heal("h2", "h1", true);
});

test("all frames lost, then none", async () => {
  await lab.lose(1000);
  expect(await reaches("h1", "h2")).toBe(false);
  await lab.lose(0);
  expect(await reaches("h1", "h2")).toBe(true);
});

test("a killed agent leaves containers running and finds them again", async () => {
  await ok(lab.docker("h1", ["run", "-d", "--name", "sleeper", "busybox", "sleep", "600"]));
  await lab.killAgent("h1");
  expect((await lab.status()).hosts[0]).toMatchObject({ isOn: true, isAgentUp: false });
  await lab.startAgent("h1");
  expect(await ok(lab.docker("h1", ["inspect", "-f", "{{.State.Running}}", "sleeper"]))).toBe("true");
});

test("a reboot ends everything but the data, and restarts what is to be restarted", async () => {
  await ok(lab.docker("h1", ["run", "-d", "--name", "phoenix", "--restart", "always", "busybox", "sleep", "600"]));
  const before = findInits(NAME).get("h1");
  await lab.reboot("h1");
  await lab.untilOnline("h1");
  expect(findInits(NAME).get("h1")).not.toBe(before);
  expect(await ok(lab.docker("h1", ["inspect", "-f", "{{.State.Running}}", "sleeper"]))).toBe("false");
  await expect.poll(async () => (await lab.docker("h1", ["inspect", "-f", "{{.State.Running}}", "phoenix"])).stdout.trim()).toBe("true");
  expect(await reaches("h2", "h1")).toBe(true);
});

test("a host that is off is offline, and what was asked of it says so", async () => {
  await lab.powerOff("h2");
  await expect(lab.exec("h2", ["true"])).rejects.toThrow("h2 of lab");
  expect((await lab.status()).hosts[1]).toMatchObject({ isOn: false, isAgentUp: false });
  await lab.powerOn("h2");
  await lab.untilOnline("h2");
});

test("a control plane that lost its power starts again, and hosts come back to it", async () => {
  await lab.reboot("control");
  await Promise.all(lab.hosts.map((host) => lab.untilOnline(host)));
});

test("names that are not there are refused", async () => {
  await expect(lab.cut("h1", "h9")).rejects.toThrow("has no host h9");
  await expect(lab.reboot("nobody")).rejects.toThrow("has no host nobody");
  await expect(Lab.up(NAME, { hostCount: 1 })).rejects.toThrow("there is a lab");
  await expect(Lab.up("../x", { hostCount: 1 })).rejects.toThrow("lower-case");
  expect(() => Lab.open("absent")).toThrow("there is no lab absent");
});
