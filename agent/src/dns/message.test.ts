import { decode, encode, type OptAnswer, type Question } from "dns-packet";
import { expect, test } from "vitest";
import {
  fitDatagram,
  handOn,
  isAnswerTo,
  type Query,
  RCODE,
  rcodeOf,
  readAges,
  readQuery,
  scrambleCase,
  writeAnswer,
  writeFailure,
  writeQuery,
} from "./message.ts";

const ask = (question: Partial<Question> = {}, more: Record<string, unknown> = {}): Buffer =>
  encode({ type: "query", id: 77, flags: 0x100, questions: [{ type: "A", class: "IN", name: "Web.App", ...question }], ...more });
const queryOf = (message: Buffer): Query => {
  const reading = readQuery(message);
  if (reading.kind !== "query") throw new Error(`it is ${reading.kind}`);
  return reading.query;
};
const OPT: OptAnswer = {
  type: "OPT",
  name: ".",
  udpPayloadSize: 1400,
  extendedRcode: 0,
  ednsVersion: 0,
  flags: 0x8000,
  flag_do: true,
  options: [],
};

test("a query is read with its spelling, its size limit and its wish for signatures", () => {
  expect(queryOf(ask())).toMatchObject({ id: 77, name: "Web.App", type: "A", typeNumber: 1, class: 1, edns: undefined });
  expect(queryOf(ask({}, { additionals: [OPT] })).edns).toEqual({ udpBytes: 1400, isDnssecOk: true });
});

const withByte = (message: Buffer, offset: number, value: number): Buffer => {
  const changed = Buffer.from(message);
  changed[offset] = value;
  return changed;
};
/** A question whose name is a pointer to itself. */
const LOOP = Buffer.concat([ask().subarray(0, 12), Buffer.from([0xc0, 12, 0, 1, 0, 1])]);

test.each([
  ["nothing", Buffer.alloc(0), "ignored"],
  ["half a header", ask().subarray(0, 11), "ignored"],
  ["an answer", withByte(ask(), 2, 0x81), "ignored"],
  ["an update", withByte(ask(), 2, 0x28), RCODE.notImplemented],
  ["no question", withByte(ask(), 5, 0), RCODE.formatError],
  ["two questions", withByte(ask(), 5, 2), RCODE.formatError],
  ["65,535 questions", withByte(withByte(ask(), 4, 0xff), 5, 0xff), RCODE.formatError],
  ["65,535 additional records", withByte(withByte(ask(), 10, 0xff), 11, 0xff), RCODE.formatError],
  ["a question that is cut off", ask().subarray(0, -3), RCODE.formatError],
  ["a name that points at itself", LOOP, RCODE.formatError],
  ["a label that is too long", withByte(ask(), 12, 0x7f), RCODE.formatError],
  ["a name without an end", Buffer.concat([ask().subarray(0, 12), Buffer.alloc(400, 1)]), RCODE.formatError],
  ["two EDNS records", ask({}, { additionals: [OPT, OPT] }), RCODE.formatError],
])("%s is refused or ignored", (_, message, expected) => {
  const reading = readQuery(message);
  if (reading.kind === "refused") {
    expect(rcodeOf(reading.answer)).toBe(expected);
    expect(reading.answer.readUInt16BE(0)).toBe(77);
    expect(reading.answer).toHaveLength(12);
  } else expect(reading.kind).toBe(expected);
});

test("no bytes at all make it throw", () => {
  let seed = 1;
  const next = (): number => (seed = (seed * 48_271) % 2_147_483_647);
  for (let round = 0; round < 3_000; round += 1) {
    const message = Buffer.from(ask({}, { additionals: [OPT] }));
    for (let changes = next() % 6; changes >= 0; changes -= 1) message[next() % message.length] = next() & 0xff;
    const reading = readQuery(message.subarray(0, next() % (message.length + 1)));
    expect(["query", "refused", "ignored"]).toContain(reading.kind);
    readAges(message);
  }
});

test("an answer repeats the question letter by letter", () => {
  const answer = decode(writeAnswer(queryOf(ask()), ["10.0.0.2", "10.0.0.3"], 5));
  expect(answer).toMatchObject({ id: 77, type: "response", flag_rd: true, flag_ra: true, rcode: "NOERROR" });
  expect(answer.questions).toEqual([{ name: "Web.App", type: "A", class: "IN" }]);
  expect(answer.answers?.map((each) => "data" in each && [each.type, each.ttl, each.data])).toEqual([
    ["A", 5, "10.0.0.2"],
    ["A", 5, "10.0.0.3"],
  ]);
  expect(decode(writeFailure(queryOf(ask()), RCODE.serverFailure))).toMatchObject({ rcode: "SERVFAIL", questions: [{ name: "Web.App" }] });
});

test("AAAA and PTR are written too, NODATA has no record and EDNS is answered with EDNS", () => {
  const aaaa = decode(writeAnswer(queryOf(ask({ type: "AAAA" })), ["fd00::2"], 5));
  expect(aaaa.answers).toMatchObject([{ type: "AAAA", data: "fd00::2" }]);
  const ptr = decode(writeAnswer(queryOf(ask({ type: "PTR", name: "2.0.0.10.in-addr.arpa" })), ["web.app"], 5));
  expect(ptr.answers).toMatchObject([{ type: "PTR", data: "web.app" }]);
  const none = decode(writeAnswer(queryOf(ask({}, { additionals: [OPT] })), [], 5));
  expect(none).toMatchObject({ rcode: "NOERROR", answers: [], additionals: [{ type: "OPT" }] });
});

test("what does not fit a datagram is cut to the question and says so", () => {
  const many = Array.from({ length: 60 }, (_, index) => `10.0.1.${index}`);
  const plain = queryOf(ask());
  const short = fitDatagram(plain, writeAnswer(plain, many, 5));
  expect(decode(short)).toMatchObject({ flag_tc: true, answers: [], questions: [{ name: "Web.App" }] });
  expect(short.length).toBeLessThanOrEqual(512);
  const large = queryOf(ask({}, { additionals: [{ ...OPT, udpPayloadSize: 4096 }] }));
  expect(decode(fitDatagram(large, writeAnswer(large, many, 5))).answers).toHaveLength(60);
});

test("a query outside has letters by chance, and only its very answer is taken", () => {
  const query = queryOf(ask({}, { additionals: [OPT] }));
  const questionBytes = scrambleCase(query.questionBytes, () => true);
  const sent = writeQuery(query, 4711, questionBytes);
  expect(decode(sent)).toMatchObject({ id: 4711, flag_rd: true, questions: [{ name: "wEB.aPP" }], additionals: [{ type: "OPT" }] });
  const answer = writeAnswer({ ...query, id: 4711, questionBytes }, ["1.2.3.4"], 60);
  expect(isAnswerTo(answer, { id: 4711, questionBytes })).toBe(true);
  expect(isAnswerTo(answer, { id: 4712, questionBytes })).toBe(false);
  expect(isAnswerTo(answer, { id: 4711, questionBytes: query.questionBytes })).toBe(false);
  expect(isAnswerTo(sent, { id: 4711, questionBytes })).toBe(false);
  expect(isAnswerTo(answer.subarray(0, 20), { id: 4711, questionBytes })).toBe(false);
});

test("times to live are found behind any records, and count down when handed on", () => {
  const query = queryOf(ask());
  const answer = encode({
    type: "response",
    id: 1,
    questions: [{ type: "A", class: "IN", name: "wEB.aPP" }],
    answers: [
      { type: "CNAME", name: "web.app", ttl: 300, data: "other.app" },
      { type: "A", name: "other.app", ttl: 20, data: "1.2.3.4" },
    ],
    additionals: [OPT],
  });
  const ages = readAges(answer);
  expect(ages?.ttlSeconds).toBe(20);
  const aged = decode(handOn(answer, query, { offsets: ages?.offsets ?? [], seconds: 7 }));
  expect(aged).toMatchObject({ id: 77, questions: [{ name: "Web.App" }], answers: [{ ttl: 293 }, { ttl: 13 }] });
  expect(readAges(answer.subarray(0, -15))).toBeUndefined();
});

test("a negative answer is kept for the SOA's minimum", () => {
  const data = { mname: "ns.app", rname: "root.app", serial: 1, refresh: 1, retry: 1, expire: 1, minimum: 9 };
  const answer = encode({ type: "response", id: 1, questions: [{ type: "A", class: "IN", name: "web.app" }], authorities: [{ type: "SOA", name: "app", ttl: 90, data }] }); // prettier-ignore
  expect(readAges(answer)?.ttlSeconds).toBe(9);
});
