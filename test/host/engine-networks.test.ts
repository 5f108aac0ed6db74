import { readFileSync } from "node:fs";
import { isFlotillaError } from "@flotilla/core";
import { expect, test } from "vitest";
import { NS, type TestEngine, until, withEngine } from "../support/engine.ts";

function logOf(t: TestEngine, id: string): string {
  const text = readFileSync(t.engine.get(NS, id).logPath, "utf8");
  return text
    .split("\n")
    .map((line) => line.split(" ").slice(3).join(" "))
    .join("\n")
    .trim();
}

test("containers on a user-defined network find each other by name, also one that comes later", async () => {
  await withEngine(async (t) => {
    t.networks.createNetwork(NS, {
      name: "app",
      driver: "bridge",
      labels: {},
      options: {},
      isInternal: false,
      isAttachable: false,
      subnet: "",
      gateway: "",
      addressRange: "",
    });
    const asks = await t.run(
      { Cmd: ["sh", "-c", "until ping -c1 -w1 db >/dev/null 2>&1; do sleep 0.1; done; echo found"], HostConfig: { NetworkMode: "app" } },
      "web",
    );
    const db = await t.run({ Cmd: ["sleep", "1000"], StopTimeout: 0, HostConfig: { NetworkMode: "app" } }, "db");
    expect(await t.exitOf(asks)).toBe(0);
    expect(logOf(t, asks)).toBe("found");

    await t.engine.connect(NS, db, { networkName: "bridge", aliases: [] });
    expect(Object.keys((await t.engine.inspect(NS, db, { size: false })).NetworkSettings.Networks).sort()).toEqual(["app", "bridge"]);
    await t.engine.stop(NS, db, {});
    await t.engine.start(NS, db);
    const live = (await t.engine.inspect(NS, db, { size: false })).NetworkSettings.Networks;
    expect(Object.values(live).every((endpoint) => endpoint.IPAddress !== "")).toBe(true);
    await t.engine.disconnect(NS, db, { networkName: "bridge", force: false });
    const refused = await t.engine.disconnect(NS, db, { networkName: "bridge", force: false }).catch((error: unknown) => error);
    expect(isFlotillaError(refused, "not_found")).toBe(true);
    await t.engine.remove(NS, db, { force: true, volumes: true, link: false });
    await t.networks.removeNetwork(NS, "app");
  });
});

test("published ports are those of the host, and a taken one refuses the start", async () => {
  await withEngine(async (t) => {
    const body = (port: string): Record<string, unknown> => ({
      Cmd: ["sh", "-c", "while :; do echo hello | nc -l -p 80; done"],
      StopTimeout: 0,
      HostConfig: { PortBindings: { "80/tcp": [{ HostIp: "", HostPort: port }] } },
    });
    const id = await t.run(body(""));
    const { Ports } = (await t.engine.inspect(NS, id, { size: false })).NetworkSettings;
    const port = Ports["80/tcp"]?.[0]?.HostPort ?? "";
    expect(Number(port)).toBeGreaterThan(0);
    const [row] = await t.engine.list(NS, { all: false, limit: 0, size: false, filters: new Map([["publish", [port]]]) });
    expect(row?.Ports).toEqual([{ IP: "0.0.0.0", PrivatePort: 80, PublicPort: Number(port), Type: "tcp" }]);
    const second = await t.create(body(port));
    await expect(t.engine.start(NS, second)).rejects.toThrow("port is already allocated");
    expect(t.engine.get(NS, second).status).toBe("created");
    await until("the first goes on", () => t.engine.get(NS, id).status === "running");
  });
});
