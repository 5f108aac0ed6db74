import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { takeBody } from "./take-body.ts";

type Taken = { bytes: number; sum: number; error: string | undefined };
type Taker = (req: IncomingMessage) => Promise<Taken>;

let server: Server;
let take: Taker;
let answered: (taken: Taken) => void;

beforeAll(async () => {
  server = createServer((req, res) => {
    void take(req).then((taken) => {
      answered(taken);
      res.writeHead(200, { connection: "close" }).end(JSON.stringify(taken));
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
});

afterAll(async () => {
  server.close();
  await once(server, "close");
});

const port = (): number => (server.address() as AddressInfo).port;

/** Sums the bytes up, slowly where asked, and stops after so many of them. */
async function sumUp(req: IncomingMessage, options: { pauseMs?: number; stopAfter?: number } = {}): Promise<Taken> {
  const taken: Taken = { bytes: 0, sum: 0, error: undefined };
  try {
    for await (const piece of takeBody(req)) {
      for (const byte of piece) taken.sum = (taken.sum * 31 + byte) % 1_000_003;
      taken.bytes += piece.length;
      if (options.pauseMs !== undefined) await new Promise((resolve) => setTimeout(resolve, options.pauseMs));
      if (taken.bytes >= (options.stopAfter ?? Number.POSITIVE_INFINITY)) break;
    }
  } catch (error) {
    taken.error = error instanceof Error ? error.message : "error";
  }
  return taken;
}

const BODY = Buffer.alloc(3_000_000, "0123456789abc");

function sumOf(bytes: Buffer): number {
  let sum = 0;
  for (const byte of bytes) sum = (sum * 31 + byte) % 1_000_003;
  return sum;
}

test.each([
  ["as fast as it comes", undefined],
  ["by a slow consumer", 1],
])("all of a body is taken in order, %s", async (_, pauseMs) => {
  take = (req) => sumUp(req, pauseMs === undefined ? {} : { pauseMs });
  answered = () => undefined;
  const response = await fetch(`http://127.0.0.1:${port()}/`, { method: "PUT", body: BODY });
  expect(await response.json()).toEqual({ bytes: BODY.length, sum: sumOf(BODY) });
});

test("an empty body is no piece, and pieces of a chunked one come as they are", async () => {
  take = (req) => sumUp(req);
  answered = () => undefined;
  const empty = await fetch(`http://127.0.0.1:${port()}/`, { method: "PUT", headers: { "content-length": "0" } });
  expect(await empty.json()).toEqual({ bytes: 0, sum: 0 });
  const chunks = new ReadableStream({
    start: (controller) => {
      for (const text of ["a", "bc", "def"]) controller.enqueue(Buffer.from(text));
      controller.close();
    },
  });
  const chunked = await fetch(`http://127.0.0.1:${port()}/`, { method: "PUT", body: chunks, duplex: "half" } as RequestInit);
  expect(await chunked.json()).toEqual({ bytes: 6, sum: sumOf(Buffer.from("abcdef")) });
});

test("a consumer that leaves early can still answer", async () => {
  take = (req) => sumUp(req, { stopAfter: 1 });
  answered = () => undefined;
  const socket = connect(port(), "127.0.0.1");
  socket.write(`PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: ${BODY.length}\r\n\r\nfirst`);
  const [answer] = (await once(socket, "data")) as [Buffer];
  expect(answer.toString()).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*"bytes":5,/);
  socket.destroy();
});

test("a connection that breaks is an error, after what came before", async () => {
  take = (req) => sumUp(req);
  const taken = new Promise<Taken>((resolve) => (answered = resolve));
  const socket = connect(port(), "127.0.0.1");
  socket.write(`PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nfirst`);
  // The answer is not read: what matters is what the server saw.
  setImmediate(() => socket.resetAndDestroy());
  expect(await taken).toMatchObject({ error: expect.stringMatching(/aborted|premature|reset/i) });
});
