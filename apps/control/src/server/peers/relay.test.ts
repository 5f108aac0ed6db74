import {
  type ClientHttp2Session,
  connect,
  constants,
  type IncomingHttpHeaders,
  performServerHandshake,
  type ServerHttp2Stream,
} from "node:http2";
import { duplexPair, PassThrough, Readable } from "node:stream";
import { once } from "node:events";
import { afterEach, describe, expect, test } from "vitest";
import { TunnelCalls } from "../agent-hub/tunnel-calls.ts";
import { RelayLink } from "./relay-link.ts";
import { type RelayHosts, relayStream } from "./relay-stream.ts";

type Serve = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;
const cleanups: (() => void)[] = [];
afterEach(() => cleanups.splice(0).forEach((cleanup) => cleanup()));

/** HTTP/2 in memory: a client's session and a server that `serve` answers for. */
function open(serve: Serve): ClientHttp2Session {
  const [near, far] = duplexPair();
  const server = performServerHandshake(far);
  server.on("error", () => undefined);
  server.on("stream", (stream, headers) => {
    stream.on("error", () => undefined);
    serve(stream, headers);
  });
  const session = connect("http://x", { createConnection: () => near });
  session.on("error", () => undefined);
  cleanups.push(() => {
    session.destroy();
    server.destroy();
  });
  return session;
}

/** A host behind another control plane: caller, relay, host. */
function relayed(engine: Serve, options: Partial<RelayHosts> & { epoch?: number } = {}): RelayLink {
  const host = new TunnelCalls({ session: open(engine), label: "host h", goneMessage: "host h is not connected" });
  const target = { epoch: 3, openRaw: host.openRaw.bind(host) };
  const hosts: RelayHosts = { find: (id) => (id === "id-h" ? target : undefined), issueTicket: async () => undefined, ...options };
  const session = open((stream, headers) => void relayStream(stream, headers, hosts));
  return new RelayLink({
    session,
    host: { id: "id-h", name: "h" },
    epoch: options.epoch ?? 3,
    planeUrl: "http://a",
    describeCaller: (ticket) => `who has ${ticket}`,
  });
}

async function text(body: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

const echo: Serve = (stream, headers) => {
  const chunks: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  stream.on("end", () => {
    stream.respond({ ":status": 201, "x-from": "engine", "x-flotilla-relay": "forged" });
    stream.end(JSON.stringify({ headers, body: Buffer.concat(chunks).toString() }));
  });
};

const get = { method: "GET", path: "/v1.47/info?a=1", namespace: "team-1" };

describe("a relayed call", () => {
  test("reaches the host with its method, path, namespace, headers and body, and without what is said between control planes", async () => {
    const response = await relayed(echo).request({ ...get, method: "POST", body: "hello", headers: { "x-own": "1" } });
    expect(response.status).toBe(201);
    expect(response.headers).toMatchObject({ "x-from": "engine" });
    const { headers, body } = JSON.parse(await text(response.body)) as { headers: Record<string, string>; body: string };
    expect(body).toBe("hello");
    expect(headers).toMatchObject({ ":method": "POST", ":path": "/v1.47/info?a=1", "x-flotilla-namespace": "team-1", "x-own": "1" });
    expect(Object.keys(headers).filter((name) => name.startsWith("x-flotilla-"))).toEqual(["x-flotilla-namespace", "x-flotilla-exempt"]);
  });

  test.each([true, false])(
    "exempt from guard rails: %s, as the control plane that was called says, whatever the caller's headers",
    async (isExempt) => {
      const response = await relayed(echo).request({ ...get, isExempt, headers: { "x-flotilla-exempt": isExempt ? "0" : "1" } });
      const { headers } = JSON.parse(await text(response.body)) as { headers: Record<string, string> };
      expect(headers["x-flotilla-exempt"]).toBe(isExempt ? "1" : "0");
    },
  );

  test("without a body ends where its headers end", async () => {
    let ended: boolean | undefined;
    const link = relayed((stream) => {
      ended = stream.endAfterHeaders;
      stream.respond({ ":status": 204 }, { endStream: true });
    });
    const response = await link.request(get);
    expect([response.status, ended, await text(response.body)]).toEqual([204, true, ""]);
  });

  test("carries a large body each way, whole", async () => {
    const link = relayed((stream) => {
      stream.respond({ ":status": 200 });
      stream.pipe(stream);
    });
    const block = Buffer.alloc(64 * 1024, "x");
    const { body } = await link.request({ ...get, method: "POST", body: Readable.from(Array.from({ length: 64 }, () => block)) });
    let size = 0;
    for await (const chunk of body) size += (chunk as Buffer).length;
    expect(size).toBe(64 * block.length);
  });

  test("is full duplex: the host's words come before the caller's end, and a half-close arrives as one", async () => {
    const link = relayed((stream) => {
      stream.respond({ ":status": 200, "x-flotilla-hijack": "101" });
      stream.on("data", (chunk: Buffer) => stream.write(`you said ${chunk.toString()};`));
      stream.on("end", () => stream.end("goodbye"));
    });
    const { input, output, answered } = await link.openRaw({ ...get, method: "POST" });
    input.write("one");
    expect(await answered).toMatchObject({ status: 200, isUpgraded: true });
    expect(String((await once(output, "data"))[0])).toBe("you said one;");
    input.end();
    expect(await text(output)).toBe("goodbye");
  });

  test("that the caller gives up is given up at the host", async () => {
    const gone = Promise.withResolvers<number>();
    const link = relayed((stream) => {
      stream.respond({ ":status": 200 });
      stream.write("line\n");
      stream.on("close", () => gone.resolve(stream.rstCode));
    });
    const { body } = await link.request(get);
    await once(body, "data");
    body.destroy();
    expect(await gone.promise).toBe(constants.NGHTTP2_CANCEL);
  });

  test("whose upload breaks off never looks whole to the host", async () => {
    const closed = Promise.withResolvers<boolean>();
    const link = relayed((stream) => {
      let isWhole = false;
      stream.on("data", () => upload.destroy(new Error("the client is gone")));
      stream.on("end", () => (isWhole = stream.rstCode === constants.NGHTTP2_NO_ERROR));
      stream.on("close", () => closed.resolve(isWhole));
    });
    const upload = new PassThrough();
    const failed = link.request({ ...get, method: "POST", body: upload }).catch((error: Error) => error);
    upload.write("half");
    expect(await closed.promise).toBe(false);
    expect(await failed).toBeInstanceOf(Error);
  });

  test("that the host resets in the middle is an error and no short answer", async () => {
    const link = relayed((stream) => {
      stream.respond({ ":status": 200 });
      stream.write("begin", () => stream.destroy(new Error("cut")));
    });
    const { body } = await link.request(get);
    await expect(text(body)).rejects.toThrow();
  });

  test("that the host answers before it has read the upload is answered, and the rest is not sent", async () => {
    const link = relayed((stream) => {
      stream.respond({ ":status": 403 });
      stream.end("no");
      stream.once("finish", () => stream.close(constants.NGHTTP2_NO_ERROR));
    });
    const upload = new PassThrough();
    upload.write("some");
    const response = await link.request({ ...get, method: "POST", body: upload });
    expect([response.status, await text(response.body)]).toEqual([403, "no"]);
  });

  test("passes trailers on", async () => {
    const link = relayed((stream) => {
      stream.respond({ ":status": 200 }, { waitForTrailers: true });
      stream.once("wantTrailers", () => stream.sendTrailers({ "x-digest": "abc" }));
      stream.end("body");
    });
    const { input, output } = await link.openRaw(get);
    input.end();
    const trailers = once(input, "trailers");
    expect(await text(output)).toBe("body");
    expect((await trailers)[0]).toMatchObject({ "x-digest": "abc" });
  });

  test("a reader that stalls holds the host back, and other calls go on", async () => {
    let sent = 0;
    const link = relayed((stream, headers) => {
      stream.respond({ ":status": 200 });
      if (headers[":path"] === "/ping") return void stream.end("OK");
      const flood = new Readable({
        read() {
          sent += 65_536;
          this.push(Buffer.alloc(65_536));
        },
      });
      flood.pipe(stream);
    });
    const { body: stalled } = await link.request({ ...get, path: "/flood" });
    let before = -1;
    while (sent !== before) {
      before = sent;
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
    expect(sent).toBeLessThan(16 * 1024 * 1024);
    expect(await text((await link.request({ ...get, path: "/ping" })).body)).toBe("OK");
    stalled.destroy();
  });
});

describe("a call that is not made", () => {
  const message = "host h is not connected";

  test("to a host that is not there any more, or has another connection", async () => {
    await expect(relayed(echo, { find: () => undefined }).request(get)).rejects.toMatchObject({ code: "unavailable", message });
    await expect(relayed(echo, { epoch: 2 }).request(get)).rejects.toMatchObject({ code: "unavailable", message });
    const { answered } = await relayed(echo, { epoch: 2 }).openRaw(get);
    await expect(answered).rejects.toMatchObject({ code: "unavailable", message });
  });

  test("to the link's own paths: only the control plane that holds the host speaks there", async () => {
    let asked = 0;
    const link = relayed((stream) => {
      asked += 1;
      stream.respond({ ":status": 200 }, { endStream: true });
    });
    for (const path of ["/flotilla/v1/link/state", "/flotilla/v1/link/heartbeats"])
      await expect(link.request({ ...get, path })).rejects.toMatchObject({ code: "unavailable" });
    expect(asked).toBe(0);
  });

  test("when the other control plane is gone says which one holds the host", async () => {
    const session = open(() => undefined);
    const link = new RelayLink({ session, host: { id: "i", name: "h" }, epoch: 1, planeUrl: "http://a", describeCaller: () => undefined });
    session.destroy();
    await expect(link.request(get)).rejects.toThrow("host h is connected to the control plane at http://a, which does not answer");
  });
});

describe("who called", () => {
  test("is told to the control plane that holds the host, which gives the host a ticket of its own", async () => {
    const said: string[] = [];
    let ended = 0;
    const link = relayed(echo, {
      issueTicket: async (hostId, caller) => {
        said.push(`${hostId} ${caller}`);
        return { ticket: "its-own", end: () => (ended += 1) };
      },
    });
    const response = await link.request({ ...get, headers: { "x-flotilla-caller": "mine" } });
    const { headers } = JSON.parse(await text(response.body)) as { headers: Record<string, string> };
    expect(said).toEqual(["id-h who has mine"]);
    expect(headers["x-flotilla-caller"]).toBe("its-own");
    await expect.poll(() => ended).toBe(1);
  });

  test("nobody who can be found is no ticket, and never the one of the other control plane", async () => {
    const response = await relayed(echo).request({ ...get, headers: { "x-flotilla-caller": "mine" } });
    expect(await text(response.body)).not.toContain("x-flotilla-caller");
  });
});
