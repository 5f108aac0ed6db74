import { cpSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generateSigningKey, HEARTBEAT_PATH, parseJoinToken } from "@flotilla/protocol";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { dial } from "../../agent/src/link/dial.ts";
import { makeNonce, shakeHands } from "../../agent/src/link/handshake.ts";
import { ensureHostKey, readIdentity, writeIdentity } from "../../agent/src/link/identity-file.ts";
import { joinControlPlane } from "../../agent/src/link/join.ts";
import { readLinkFacts } from "../../agent/src/link/link-facts.ts";
import { ADMIN_TOKEN, startTestControl, type TestControl } from "../support/control.ts";
import { echoEngine, openLink, startLinkedAgent, until, untilOnline } from "../support/linked-agent.ts";

let control: TestControl;
let other: TestControl;
const cleanups: (() => Promise<void> | void)[] = [];

beforeAll(async () => {
  control = await startTestControl({ withAdmin: true });
  other = await startTestControl({ withAdmin: true });
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});
afterAll(async () => {
  await control.close();
  await other.close();
});

function scratch(): string {
  const dir = mkdtempSync(join(tmpdir(), "fla-"));
  cleanups.push(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

async function makeToken(input: { name?: string; uses?: number } = {}): Promise<string> {
  const made = await control.call(
    "hosts.joinTokens.create",
    { expiresInMinutes: 5, uses: 1, ...input },
    { kind: "mutation", token: ADMIN_TOKEN },
  );
  return (made as { token: string }).token;
}

const join_ = (dataDir: string, token: string, name?: string): Promise<{ hostId: string; name: string }> =>
  joinControlPlane({ dataDir, controlUrl: control.url, token, name, agentVersion: "t" });

async function refusals(action: string): Promise<string[]> {
  const rows = await control.services.prisma.auditRow.findMany({ where: { action, outcome: "refused" } });
  return rows.map((row) => String((row.detail as { reason?: string }).reason));
}

async function linked(name: string): Promise<{ dataDir: string; hostId: string }> {
  const agent = await startLinkedAgent(control, { name });
  cleanups.push(() => agent.close());
  return agent;
}

describe("joining", () => {
  test("the host's key is made on the host, in a file of its own, and the token is not kept", async () => {
    const dataDir = scratch();
    const token = await makeToken({ name: "fresh" });
    const joined = await join_(dataDir, token);
    expect(joined.name).toBe("fresh");
    expect(statSync(join(dataDir, "link", "key.pem")).mode & 0o777).toBe(0o600);
    const { secret } = parseJoinToken(token);
    expect(readFileSync(join(dataDir, "link", "identity.json"), "utf8")).not.toContain(secret);
    const rows = JSON.stringify([await control.services.prisma.joinToken.findMany(), await control.services.prisma.auditRow.findMany()]);
    expect(rows).not.toContain(secret);
  });

  test("a token that was used up makes no second host", async () => {
    const token = await makeToken();
    await join_(scratch(), token, "once");
    await expect(join_(scratch(), token, "twice")).rejects.toThrow(/used up/);
    expect(await refusals("host.join")).toContain("bad_token");
  });

  test("of two agents that race with one single-use token one becomes a host", async () => {
    const token = await makeToken();
    const results = await Promise.allSettled([join_(scratch(), token, "race-a"), join_(scratch(), token, "race-b")]);
    expect(results.map((result) => result.status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(await control.services.prisma.host.count({ where: { name: { startsWith: "race-" } } })).toBe(1);
  });

  test("an expired or revoked token, and one with a wrong secret, are refused", async () => {
    const expired = await makeToken();
    await control.services.prisma.joinToken.update({
      where: { id: parseJoinToken(expired).id },
      data: { expiresAt: new Date(Date.now() - 1) },
    });
    await expect(join_(scratch(), expired, "late")).rejects.toThrow(/expired/);
    const revoked = await makeToken();
    await control.call("hosts.joinTokens.revoke", { id: parseJoinToken(revoked).id }, { kind: "mutation", token: ADMIN_TOKEN });
    await expect(join_(scratch(), revoked, "gone")).rejects.toThrow(/not valid/);
    const good = parseJoinToken(await makeToken());
    const wrong = `flj1.${good.id}.${"A".repeat(43)}.${good.serverKey}`;
    await expect(join_(scratch(), wrong, "guess")).rejects.toThrow(/not valid/);
  });

  test("the secret is not shown to a control plane with another key than the token pins", async () => {
    const token = await makeToken();
    const attempt = joinControlPlane({ dataDir: scratch(), controlUrl: other.url, token, name: "lured", agentVersion: "t" });
    await expect(attempt).rejects.toThrow(/not the control plane/);
    // The real one still takes it: nobody used it.
    await expect(join_(scratch(), token, "lured")).resolves.toMatchObject({ name: "lured" });
  });

  test("a name that is taken is refused, whatever key asks for it", async () => {
    await join_(scratch(), await makeToken(), "taken");
    await expect(join_(scratch(), await makeToken(), "taken")).rejects.toThrow(/already/);
  });

  test("a host that lost the answer joins again with its key and is the same host", async () => {
    const dataDir = scratch();
    const token = await makeToken();
    const first = await join_(dataDir, token, "again");
    rmSync(join(dataDir, "link", "identity.json"));
    expect(await join_(dataDir, token, "again")).toEqual(first);
  });

  test("this machine's own token makes the host local, and gives it a new key when the old one is lost", async () => {
    const first = await join_(scratch(), await control.issueLocalJoinToken());
    const second = await join_(scratch(), await control.issueLocalJoinToken());
    expect(first.name).toBe("local");
    expect(second).toEqual(first);
  });

  test("without TLS only a control plane on this machine is dialled", async () => {
    const attempt = joinControlPlane({
      dataDir: scratch(),
      controlUrl: "http://192.0.2.1:7420",
      token: await makeToken(),
      agentVersion: "t",
    });
    await expect(attempt).rejects.toThrow(/must be https/);
  });
});

describe("the connection", () => {
  test("a host that joined is online with facts and stats, and offline when its agent ends", async () => {
    const agent = await startLinkedAgent(control, { name: "live" });
    await until(() => control.services.links.state(agent.hostId).stats !== null);
    const rows = (await control.call("hosts.list", undefined, { token: ADMIN_TOKEN })) as {
      name: string;
      state: string;
      stats: { containersTotal: number };
    }[];
    expect(rows.find((row) => row.name === "live")).toMatchObject({ state: "online", stats: { containersTotal: 2 } });
    await agent.close();
    await untilOnline(control, agent.hostId, false);
  });

  test("after a restart of the control plane the agent comes back by itself, with a higher epoch", async () => {
    const { hostId } = await linked("returning");
    const before = await control.services.prisma.host.findUniqueOrThrow({ where: { id: hostId } });
    await control.restart();
    await untilOnline(control, hostId);
    const after = await control.services.prisma.host.findUniqueOrThrow({ where: { id: hostId } });
    expect(after.epoch).toBeGreaterThan(before.epoch);
  });

  test("a second machine with the same key is refused, the first stays, and the host is flagged", async () => {
    const { dataDir, hostId } = await linked("cloned");
    const epoch = (await control.services.prisma.host.findUniqueOrThrow({ where: { id: hostId } })).epoch;
    const clone = scratch();
    cpSync(join(dataDir, "link"), join(clone, "link"), { recursive: true });
    const link = openLink(clone, echoEngine);
    cleanups.push(() => link.close());
    await until(async () => (await control.services.prisma.host.findUniqueOrThrow({ where: { id: hostId } })).flag !== null);
    await until(async () => (await refusals("host.connect")).includes("duplicate"));
    const host = await control.services.prisma.host.findUniqueOrThrow({ where: { id: hostId } });
    expect(host).toMatchObject({ epoch, flag: "another machine uses this host's key" });
    expect(control.services.links.state(hostId).isOnline).toBe(true);
  });

  test("a host that was removed is disconnected and not let in again", async () => {
    const { hostId } = await linked("removed");
    await control.call("hosts.remove", { host: "removed" }, { kind: "mutation", token: ADMIN_TOKEN });
    await until(async () => (await refusals("host.connect")).includes("unknown_host"));
    expect(control.services.links.state(hostId).isOnline).toBe(false);
  });

  test("the key of one host does not open the place of another", async () => {
    const victim = await linked("victim");
    const dataDir = scratch();
    await join_(dataDir, await makeToken(), "thief");
    const identity = readIdentity(dataDir);
    if (identity === undefined) throw new Error("no identity");
    writeIdentity(dataDir, { ...identity, hostId: victim.hostId });
    const link = openLink(dataDir, echoEngine);
    cleanups.push(() => link.close());
    await until(
      async () =>
        (await control.services.prisma.auditRow.count({ where: { action: "host.connect", objectId: victim.hostId, outcome: "refused" } })) >
        0,
    );
    expect(control.services.links.state(victim.hostId).isOnline).toBe(true);
  });

  test("a signature of another handshake does not help: nonces are new each time", async () => {
    const dataDir = scratch();
    const { hostId } = await join_(dataDir, await makeToken(), "replay");
    const { serverKey } = readIdentity(dataDir) ?? { serverKey: "" };
    const dialled = await dial(control.url);
    const stranger = generateSigningKey();
    const attempt = shakeHands(dialled, {
      purpose: "connect",
      subject: hostId,
      // The right public key with somebody else's private half.
      key: { publicKey: ensureHostKey(dataDir).publicKey, privateKey: stranger.privateKey },
      serverKey,
      binding: "none",
      processId: makeNonce(),
      facts: readLinkFacts("t"),
    });
    await expect(attempt).rejects.toThrow(/signature is wrong/);
    expect(await refusals("host.connect")).toContain("bad_proof");
    dialled.socket.terminate();
  });

  test("an agent leaves a control plane whose key changed", async () => {
    const dataDir = scratch();
    await join_(dataDir, await makeToken(), "loyal");
    const identity = readIdentity(dataDir);
    if (identity === undefined) throw new Error("no identity");
    const dialled = await dial(other.url);
    const attempt = shakeHands(dialled, {
      purpose: "connect",
      subject: identity.hostId,
      key: ensureHostKey(dataDir),
      serverKey: identity.serverKey,
      binding: "none",
      processId: makeNonce(),
      facts: readLinkFacts("t"),
    });
    await expect(attempt).rejects.toMatchObject({ details: { impostor: true } });
    dialled.socket.terminate();
  });

  test("a damaged identity file stops the link, not the agent", async () => {
    const dataDir = scratch();
    await join_(dataDir, await makeToken(), "damaged");
    writeFileSync(join(dataDir, "link", "identity.json"), "{");
    const link = openLink(dataDir, echoEngine);
    await link.close();
  });
});

describe("what a malicious client sends", () => {
  const open = (protocols: string[], headers: Record<string, string> = {}): WebSocket =>
    new WebSocket(`${control.url.replace("http", "ws")}/agent/v1`, protocols, { headers });
  const ended = (socket: WebSocket): Promise<string> =>
    new Promise((resolve) => {
      socket.on("error", (error) => resolve(error.message));
      socket.on("close", (code) => resolve(String(code)));
    });

  test.each([
    ["no subprotocol", [], {}],
    ["another subprotocol", ["flotilla.v9"], {}],
    ["a page in a browser", ["flotilla.v1"], { origin: "http://evil.test" }],
  ] as [string, string[], Record<string, string>][])("%s is not even upgraded", async (_title, protocols, headers) => {
    expect(await ended(open(protocols, headers))).toMatch(/400/);
  });

  test.each([
    ["garbage", "{"],
    ["the wrong shape", '{"type":"hello"}'],
    ["deep JSON", "[".repeat(10_000)],
    ["too long a message", " ".repeat(100_000)],
  ])("%s ends the connection with a refusal", async (_title, text) => {
    const socket = open(["flotilla.v1"]);
    const answer = new Promise<string>((resolve) => socket.on("message", (data: Buffer) => resolve(data.toString())));
    socket.on("open", () => socket.send(text));
    expect(JSON.parse(await answer)).toMatchObject({ type: "refused", code: "bad_request" });
    expect(await ended(socket)).toBe("1008");
  });

  test("a frame of two megabytes is refused before it is read whole", async () => {
    const socket = open(["flotilla.v1"]);
    socket.on("open", () => socket.send(Buffer.alloc(2 * 1024 * 1024)));
    expect(await ended(socket)).toMatch(/1009|1006|1008/);
  });
});

test("a flood on one stream that nobody reads does not hold back the heartbeat", async () => {
  const flood = Buffer.alloc(64 * 1024, "x");
  const agent = await startLinkedAgent(control, {
    name: "flooded",
    engine: (stream, headers) => {
      stream.on("error", () => undefined);
      stream.respond({ ":status": 200 });
      if (!String(headers[":path"]).includes("flood")) return;
      const write = (): void => {
        while (!stream.destroyed && stream.write(flood));
      };
      stream.on("drain", write);
      write();
    },
  });
  cleanups.push(() => agent.close());
  const link = control.services.links.get({ id: agent.hostId, name: "flooded" });
  const calls = await Promise.all(Array.from({ length: 20 }, () => link.request({ method: "GET", path: "/flood", namespace: "default" })));
  const heartbeats = await link.request({ method: "GET", path: HEARTBEAT_PATH, namespace: "default" });
  let text = "";
  for await (const chunk of heartbeats.body) {
    text += String(chunk);
    if (text.split("\n").length > 2) break;
  }
  expect(JSON.parse(text.split("\n")[1] ?? "")).toMatchObject({ sequence: 2 });
  for (const call of calls) call.body.destroy();
});
