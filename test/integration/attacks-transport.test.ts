import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls, getCACertificates, setDefaultCACertificates } from "node:tls";
import { silentLogger } from "@flotilla/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startPostgres } from "../../apps/control/src/server/postgres/start-postgres.ts";
import { openGate } from "../support/gate.ts";
import { ADMIN, ADMIN_TOKEN, startTestControl, type TestControl } from "../support/control.ts";
import { startLinkedAgent, until } from "../support/linked-agent.ts";

const cleanups: (() => Promise<void> | void)[] = [];
afterAll(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** Clients that stop in the middle, opened first: the server's patience with them passes while the other tests run. */
let slowClients: { control: TestControl; answers: Promise<unknown>[] };
beforeAll(async () => {
  const control = await startTestControl({ withAdmin: true });
  cleanups.push(() => control.close());
  const head = (path: string): string => `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1:${control.port}\r\nOrigin: ${control.url}\r\n`;
  const body = "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{";
  const handshake = `GET /agent/v1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: flotilla.v1\r\n\r\n`;
  const heads = [
    "GET / HTTP/1.1\r\nHost: x\r\nX-Slow",
    head("/api/auth/sign-in/email") + body,
    head("/api/trpc/me.update") + body,
    handshake,
  ];
  slowClients = { control, answers: heads.map((text) => readAll(control.port, text)) };
});

describe("with TLS of its own", () => {
  let control: TestControl;
  beforeAll(async () => {
    const dir = mkdtempSync(join(tmpdir(), "flx-"));
    cleanups.push(() => rmSync(dir, { recursive: true, force: true }));
    const [cert, key] = [join(dir, "cert.pem"), join(dir, "key.pem")];
    const subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"];
    execFileSync("openssl", ["req", "-x509", "-newkey", "ed25519", "-nodes", "-days", "2", "-keyout", key, "-out", cert, ...subject], {
      stdio: "ignore",
    });
    const before = getCACertificates("default");
    setDefaultCACertificates([...before, readFileSync(cert, "utf8")]);
    cleanups.push(() => setDefaultCACertificates(before));
    control = await startTestControl({ withAdmin: true, env: { FLOTILLA_TLS_CERT: cert, FLOTILLA_TLS_KEY: key } });
    cleanups.push(() => control.close());
  });

  test("attack 12: an agent joins and connects bound to the TLS session, and never again without", async () => {
    const agent = await startLinkedAgent(control, { name: "tls-1" });
    cleanups.push(() => agent.close());
    const identity = JSON.parse(readFileSync(join(agent.dataDir, "link", "identity.json"), "utf8")) as { binding: string };
    expect(identity.binding).toBe("tls-exporter");
    const response = await fetch(`${control.url}/docker/tls-1/_ping`, { headers: { authorization: `Bearer ${ADMIN_TOKEN}` } });
    expect(response.status).toBe(200);
  });

  test("cookies are Secure, and browsers are told to stay with TLS", async () => {
    const response = await fetch(`${control.url}/api/auth/sign-in/email`, {
      method: "POST",
      headers: { "content-type": "application/json", origin: control.url },
      body: JSON.stringify({ email: ADMIN.email, password: ADMIN.password }),
    });
    expect(response.headers.get("set-cookie")).toMatch(/__Secure-flotilla[^;]*;.*Secure/i);
    expect(response.headers.get("strict-transport-security")).toMatch(/max-age=\d{7,}/);
    expect(response.headers.get("content-security-policy")).toContain("wss://127.0.0.1");
  });

  test("plain HTTP on the same port gets nothing", async () => {
    expect(await readAll(control.port, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")).not.toContain("200");
  });

  test.each(["TLSv1", "TLSv1.1"] as const)("%s is refused", async (version) => {
    const refused = new Promise<boolean>((resolve) => {
      const socket = connectTls({
        port: control.port,
        host: "127.0.0.1",
        minVersion: version,
        maxVersion: version,
        ciphers: "ALL:@SECLEVEL=0",
      });
      socket.on("secureConnect", () => resolve(false));
      socket.on("error", () => resolve(true));
    });
    expect(await refused).toBe(true);
  });
});

/** Sends bytes and reads until the other end closes. */
function readAll(port: number, text: string): Promise<string> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const socket = connect(port, "127.0.0.1", () => socket.write(text));
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(Buffer.concat(chunks).toString("latin1")));
  });
}

describe("attack 28: Postgres goes away and comes back", () => {
  test("every door says so in its own form, no right is given meanwhile, and all of it works again by itself", async () => {
    const dir = mkdtempSync(join(tmpdir(), "flx-"));
    cleanups.push(() => rmSync(dir, { recursive: true, force: true }));
    const postgres = await startPostgres({ directory: join(dir, "postgres"), password: "p".repeat(43), logger: silentLogger });
    cleanups.push(() => postgres.stop());
    if (!("socketDir" in postgres.connection)) throw new Error("the embedded Postgres has no socket");
    const { socketDir, user, password, database } = postgres.connection;
    const gate = await openGate(join(socketDir, ".s.PGSQL.5432"));
    cleanups.push(() => gate.close());
    const url = `postgresql://${user}:${password}@127.0.0.1:${gate.port}/${database}`;
    const control = await startTestControl({ withAdmin: true, env: { DATABASE_URL: url } });
    cleanups.push(() => control.close());
    const agent = await startLinkedAgent(control, { name: "web-1" });
    cleanups.push(() => agent.close());
    const cookie = await control.signIn(ADMIN.email, ADMIN.password);
    const docker = (): Promise<Response> =>
      fetch(`${control.url}/docker/web-1/containers/c/json`, { headers: { authorization: `Bearer ${ADMIN_TOKEN}` } });
    expect((await docker()).status).toBe(200);

    gate.shut();
    await until(async () => (await docker()).status === 503);
    expect(await (await docker()).json()).toEqual({ message: expect.stringMatching(/database/) });
    await expect(control.call("me.get", undefined, { cookie })).rejects.toMatchObject({ status: 503 });
    await expect(control.signIn(ADMIN.email, ADMIN.password)).rejects.toMatchObject({ status: 503 });
    expect((await fetch(`${control.url}/readyz`)).status).toBe(503);
    expect((await fetch(`${control.url}/healthz`)).status).toBe(200);

    gate.open();
    await until(async () => (await docker()).status === 200);
    expect(await control.call("me.get", undefined, { cookie })).toBeTruthy();
    expect((await fetch(`${control.url}/readyz`)).status).toBe(200);
  });
});

test("attack 27: a head, a sign-in, a call and a handshake that stop in the middle are cut off, and others are served meanwhile", async () => {
  expect((await fetch(`${slowClients.control.url}/healthz`)).status).toBe(200);
  // They end at all: the limit of the test is the limit of their time.
  expect(await Promise.all(slowClients.answers)).toHaveLength(4);
});
