import { decode, encode } from "dns-packet";
import { beforeEach, expect, test } from "vitest";
import { AnswerCache } from "./answer-cache.ts";
import { type ExchangeOptions, Forwarder, type Transport, type Upstream } from "./forwarder.ts";
import { type Query, readQuery } from "./message.ts";

type Behaviour = (message: Buffer, upstream: Upstream) => Buffer | undefined;

let nowMs: number;
let asked: string[];
let behaviour: Behaviour;
let streamed: Behaviour;

const exchange = (kind: string, how: () => Behaviour) => async (upstream: Upstream, message: Buffer, options: ExchangeOptions) => {
  asked.push(`${kind} ${upstream.address}`);
  const answer = how()(message, upstream);
  if (answer !== undefined && options.accept(answer)) return answer;
  nowMs += options.timeoutMs;
  throw new Error("no answer");
};
const transport: Transport = { datagram: exchange("udp", () => behaviour), stream: exchange("tcp", () => streamed) };

const query = (name = "example.org", id = 7): Query => {
  const reading = readQuery(encode({ type: "query", id, flags: 0x100, questions: [{ type: "A", class: "IN", name }] }));
  if (reading.kind !== "query") throw new Error("no query");
  return reading.query;
};
const reply = (message: Buffer, change: { rcode?: number; ttl?: number; flags?: number; address?: string } = {}): Buffer => {
  const { id = 0, questions = [] } = decode(message);
  const name = questions[0]?.name ?? "";
  const answers =
    change.rcode === undefined ? [{ type: "A" as const, name, ttl: change.ttl ?? 60, data: change.address ?? "1.2.3.4" }] : [];
  return encode({ type: "response", id, flags: (change.flags ?? 0) | (change.rcode ?? 0), questions, answers });
};
const upstreams = ["9.9.9.1", "9.9.9.2"].map((address): Upstream => ({ address, port: 53, netnsPath: undefined }));
const origin = { scope: "", containerId: "c1", upstreams };
const dataOf = (message: Buffer): unknown[] => (decode(message).answers ?? []).map((each) => ("data" in each ? each.data : undefined));

const codeOf = (message: Buffer): string => String((decode(message) as { rcode?: string }).rcode);

let forwarder: Forwarder;
beforeEach(() => {
  nowMs = 1_000_000;
  asked = [];
  behaviour = (message) => reply(message);
  streamed = () => undefined;
  forwarder = new Forwarder({ transport, nowMs: () => nowMs });
});

test("an answer is kept for as long as it says, and its age is counted", async () => {
  expect(dataOf(await forwarder.ask(query(), origin))).toEqual(["1.2.3.4"]);
  nowMs += 59_000;
  const aged = decode(await forwarder.ask(query("EXAMPLE.org", 8), origin));
  expect(aged).toMatchObject({ id: 8, questions: [{ name: "EXAMPLE.org" }], answers: [{ ttl: 1 }] });
  expect(asked).toHaveLength(1);
  nowMs += 1_001;
  await forwarder.ask(query(), origin);
  expect(asked).toHaveLength(2);
});

test("ids and letters differ from query to query", async () => {
  const seen = new Set<string>();
  behaviour = (message) => {
    seen.add(message.subarray(0, 40).toString("hex"));
    return reply(message, { ttl: 0 });
  };
  for (let count = 0; count < 20; count += 1) await forwarder.ask(query(), origin);
  expect(seen.size).toBe(20);
});

test("one that is silent is passed over, in a bounded time when all are", async () => {
  behaviour = (message, { address }) => (address === "9.9.9.2" ? reply(message) : undefined);
  expect(dataOf(await forwarder.ask(query(), origin))).toEqual(["1.2.3.4"]);
  expect(asked).toEqual(["udp 9.9.9.1", "udp 9.9.9.2"]);
  behaviour = () => undefined;
  const startedAtMs = nowMs;
  expect(decode(await forwarder.ask(query("b.org"), origin))).toMatchObject({ rcode: "SERVFAIL", id: 7 });
  expect(nowMs - startedAtMs).toBeLessThanOrEqual(4_500);
});

test("SERVFAIL is asked of the next, NXDOMAIN is an answer, and failures are not kept", async () => {
  behaviour = (message, { address }) => reply(message, { rcode: address === "9.9.9.1" ? 2 : 3 });
  expect(codeOf(await forwarder.ask(query(), origin))).toBe("NXDOMAIN");
  behaviour = (message) => reply(message, { rcode: 5 });
  expect(codeOf(await forwarder.ask(query(), origin))).toBe("REFUSED");
  expect(asked).toHaveLength(4);
});

test("forged answers are not taken", async () => {
  behaviour = (message) => {
    const forged = reply(message, { address: "6.6.6.6" });
    forged.writeUInt16BE((forged.readUInt16BE(0) + 1) & 0xffff, 0);
    return forged;
  };
  expect(codeOf(await forwarder.ask(query(), origin))).toBe("SERVFAIL");
});

test("a resolver that spells names its own way is understood the second time", async () => {
  behaviour = (message) => {
    const { id = 0 } = decode(message);
    return encode({ type: "response", id, questions: [{ type: "A", class: "IN", name: "example.org" }], answers: [{ type: "A", name: "example.org", ttl: 1, data: "1.1.1.1" }] }); // prettier-ignore
  };
  expect(dataOf(await forwarder.ask(query(), { ...origin, upstreams: upstreams.slice(0, 1) }))).toEqual(["1.1.1.1"]);
});

test("what is cut short comes by TCP", async () => {
  behaviour = (message) => reply(message, { flags: 0x200 });
  streamed = (message) => reply(message, { address: "5.5.5.5" });
  expect(dataOf(await forwarder.ask(query(), origin))).toEqual(["5.5.5.5"]);
  expect(asked).toEqual(["udp 9.9.9.1", "tcp 9.9.9.1"]);
});

test("records that do not add up are not handed on", async () => {
  behaviour = (message) => {
    const broken = reply(message);
    broken.writeUInt16BE(0xffff, 6);
    return broken;
  };
  expect(codeOf(await forwarder.ask(query(), origin))).toBe("SERVFAIL");
});

test("the same question at the same time is asked once; another place and another type are other questions", async () => {
  await Promise.all([forwarder.ask(query(), origin), forwarder.ask(query("Example.ORG", 9), origin)]);
  expect(asked).toHaveLength(1);
  await forwarder.ask(query(), { ...origin, scope: "c2" });
  await forwarder.ask({ ...query(), typeNumber: 97 }, origin);
  expect(asked).toHaveLength(3);
});

test("one container cannot take all there is", async () => {
  const waiting: (() => void)[] = [];
  const slow: Transport = {
    ...transport,
    datagram: (_, message) => new Promise((resolve) => waiting.push(() => resolve(reply(message)))),
  };
  const busy = new Forwarder({ transport: slow, nowMs: () => nowMs });
  const many = Array.from({ length: 300 }, (_, index) => busy.ask({ ...query(`n${index}.org`) }, origin));
  const other = busy.ask(query("other.org"), { ...origin, containerId: "c2" });
  await new Promise((resolve) => setImmediate(resolve));
  for (const settle of waiting) settle();
  const codes = (await Promise.all(many)).map(codeOf);
  expect(codes.filter((code) => code === "NOERROR")).toHaveLength(256);
  expect(codeOf(await other)).toBe("NOERROR");
});

test("the cache is bounded in number and bytes", () => {
  const cache = new AnswerCache({ entries: 3, bytes: 100 });
  const keep = (key: string, bytes: number): void =>
    cache.keep(key, { message: Buffer.alloc(bytes), offsets: [], keptAtMs: 0, expiresAtMs: 10 });
  for (const key of ["a", "b", "c", "d"]) keep(key, 10);
  expect([cache.find("a", 0), cache.size]).toEqual([undefined, 3]);
  keep("e", 90);
  expect(cache.size).toBe(2);
  expect(cache.find("e", 11)).toBeUndefined();
});
