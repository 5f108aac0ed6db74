// Traffic for overlay tests, run inside a network namespace.
//   serve PORT NAME          TCP and UDP of both families: who it is and whom it sees; TCP echoes what comes after that
//   count tcp ADDRESS PORT   new connections without pause until its input ends; prints what became of them as JSON; a
//                            first packet that had to be sent again is a failure, however late the answer came
//   count udp ADDRESS PORT   a datagram each 2 ms from one port, the same
//   get ADDRESS PORT PATH N  the bodies of N HTTP answers, one a line, or `no answer: WHY`
//   hold ADDRESS PORT        one connection, a byte each 20 ms; prints `open ANSWER`, then `closed WHY`
import { createSocket } from "node:dgram";
import { readFileSync } from "node:fs";
import { connect, createServer } from "node:net";

/** Of a connection. What was lost on the way is found by the kernel's own count, so this is for what nobody answers. */
const PATIENCE_MS = 10_000;
const LAST_ANSWERS_MS = 1_000;
const GET_PATIENCE_MS = 2_000;
const PARALLEL = 4;
const DATAGRAM_MS = 2;
const HOLD_MS = 20;
const [verb, ...rest] = process.argv.slice(2);
const [first = "", second = "", third = "", fourth = ""] = rest;
const say = (text: string): void => void process.stdout.write(`${text}\n`);
const plain = (address: string | undefined): string => (address ?? "").replace(/^::ffff:/, "");

function serve(port: number, name: string): void {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.write(`${name} saw ${plain(socket.remoteAddress)}\n`);
    socket.pipe(socket);
  });
  const datagrams = createSocket("udp6");
  datagrams.on("error", () => undefined);
  datagrams.on("message", (message, from) =>
    datagrams.send(`${message.toString()} ${name} saw ${plain(from.address)}`, from.port, from.address),
  );
  datagrams.bind(port, "::", () => server.listen(port, "::", () => say("ready")));
}

type Count = {
  sent: number;
  ok: number;
  failed: number;
  reasons: Record<string, number>;
  answers: Record<string, number>;
  worstMs: number;
};
const count: Count = { sent: 0, ok: 0, failed: 0, reasons: {}, answers: {}, worstMs: 0 };
const ending = new AbortController();

function settle(answer: string | undefined, why = ""): void {
  if (answer === undefined) {
    count.failed += 1;
    count.reasons[why] = (count.reasons[why] ?? 0) + 1;
  } else {
    count.ok += 1;
    count.answers[answer] = (count.answers[answer] ?? 0) + 1;
  }
}

function connectOnce(host: string, port: number): Promise<void> {
  count.sent += 1;
  const startedAt = performance.now();
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const finish = (answer: string | undefined, why?: string): void => {
      clearTimeout(timer);
      socket.removeAllListeners();
      socket.on("error", () => undefined);
      socket.resetAndDestroy();
      settle(answer, why);
      count.worstMs = Math.max(count.worstMs, Math.round(performance.now() - startedAt));
      resolve();
    };
    const timer = setTimeout(() => finish(undefined, "timeout"), PATIENCE_MS);
    socket.once("data", (data) => finish(data.toString().trim()));
    socket.once("error", (error) => finish(undefined, "code" in error ? String(error.code) : error.message));
    socket.once("end", () => finish(undefined, "end"));
  });
}

/** First packets of connections that this namespace has sent again, for want of an answer within a second (/proc/net/netstat). */
function repeatedSyns(): number {
  const [names = [], values = []] = readFileSync("/proc/net/netstat", "utf8")
    .split("\n")
    .filter((line) => line.startsWith("TcpExt:"))
    .map((line) => line.split(" "));
  return Number(values[names.indexOf("TCPSynRetrans")]);
}

async function countTcp(host: string, port: number): Promise<void> {
  const worker = async (): Promise<void> => {
    while (!ending.signal.aborted) await connectOnce(host, port);
  };
  const before = repeatedSyns();
  await Promise.all(Array.from({ length: PARALLEL }, worker));
  for (let lost = repeatedSyns() - before; lost > 0; lost -= 1) settle(undefined, "first packet lost");
}

async function countUdp(host: string, port: number): Promise<void> {
  const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
  const pending = new Set<string>();
  socket.on("error", () => undefined);
  socket.on("message", (data) => {
    const [sequence = "", ...answer] = data.toString().split(" ");
    if (pending.delete(sequence)) settle(answer.join(" "));
  });
  await new Promise<void>((resolve) => socket.bind(resolve));
  while (!ending.signal.aborted) {
    const sequence = String((count.sent += 1));
    pending.add(sequence);
    socket.send(sequence, port, host);
    await new Promise((resolve) => setTimeout(resolve, DATAGRAM_MS));
  }
  for (const until = performance.now() + LAST_ANSWERS_MS; pending.size > 0 && performance.now() < until;)
    await new Promise((resolve) => setTimeout(resolve, DATAGRAM_MS));
  for (const _ of pending) settle(undefined, "lost");
}

async function get(host: string, port: number, path: string): Promise<void> {
  const url = `http://${host.includes(":") ? `[${host}]` : host}:${port}${path}`;
  for (let left = Number(fourth === "" ? 1 : fourth); left > 0; left -= 1) {
    const headers = { connection: "close" };
    const answer = fetch(url, { headers, signal: AbortSignal.timeout(GET_PATIENCE_MS) }).then((response) => response.text());
    say((await answer.catch((error: Error) => `no answer: ${error.cause instanceof Error ? error.cause.message : error.message}`)).trim());
  }
  process.exit(0);
}

function hold(host: string, port: number): void {
  const socket = connect({ host, port });
  socket.once("data", (data) => {
    say(`open ${data.toString().trim()}`);
    setInterval(() => socket.write("."), HOLD_MS);
  });
  socket.on("error", (error) => {
    say(`closed ${"code" in error ? String(error.code) : error.message}`);
    process.exit(0);
  });
  socket.on("end", () => {
    say("closed end");
    process.exit(0);
  });
}

process.stdin.resume().on("end", () => ending.abort());
if (verb === "serve") serve(Number(first), second);
else if (verb === "get") await get(first, Number(second), third);
else if (verb === "hold") hold(first, Number(second));
else {
  say("ready");
  await (first === "tcp" ? countTcp(second, Number(third)) : countUdp(second, Number(third)));
  say(JSON.stringify(count));
  process.exit(0);
}
