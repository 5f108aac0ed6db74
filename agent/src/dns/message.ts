// DNS messages (RFC 1035, 6891) as bytes. Queries and answers of our own go through dns-packet; what is handed on from a
// resolver outside stays as it came, but for its id and the times to live. Pure.
import { decode, encode, type Answer, type DecodedPacket, type OptAnswer } from "dns-packet";
import type { Question } from "./find-names.ts";

export const HEADER_BYTES = 12;
/** What a client without EDNS takes by UDP. */
const PLAIN_UDP_BYTES = 512;
/** What we say we take: no fragments on any path (dnsflagday.net/2020). */
const OWN_UDP_BYTES = 1232;
const MAX_NAME_BYTES = 255;
const TYPE_OPT = 41;
const TYPE_SOA = 6;

const FLAG = { response: 0x8000, truncated: 0x0200, recursionDesired: 0x0100, recursionAvailable: 0x0080, checkingDisabled: 0x0010 } as const; // prettier-ignore
const OPCODE_MASK = 0x7800;
const DNSSEC_OK = 0x8000;

export const RCODE = { noError: 0, formatError: 1, serverFailure: 2, nameError: 3, notImplemented: 4, refused: 5 } as const;

/** A query that is fit to be answered. */
export type Query = Question & {
  id: number;
  flags: number;
  class: number;
  typeNumber: number;
  /** Its question as it came: the answer repeats it letter by letter. */
  questionBytes: Buffer;
  /** undefined without EDNS. */
  edns: { udpBytes: number; isDnssecOk: boolean } | undefined;
};

/** What came in: a query, an answer that refuses it, or nothing that deserves one. */
export type Reading = { kind: "query"; query: Query } | { kind: "refused"; answer: Buffer } | { kind: "ignored" };

/** Never throws. Answers are ignored, else two resolvers could be made to talk to each other for ever. */
export function readQuery(message: Buffer): Reading {
  if (message.length < HEADER_BYTES || (message.readUInt16BE(2) & FLAG.response) !== 0) return { kind: "ignored" };
  if ((message.readUInt16BE(2) & OPCODE_MASK) !== 0) return { kind: "refused", answer: headerOnly(message, RCODE.notImplemented) };
  const query = tryDo(() => parseQuery(message));
  return query === undefined ? { kind: "refused", answer: headerOnly(message, RCODE.formatError) } : { kind: "query", query };
}

function parseQuery(message: Buffer): Query | undefined {
  // One question, nothing but EDNS and a signature behind it: counts beyond that are never walked.
  const [questions, answers, authorities, additionals] = [4, 6, 8, 10].map((offset) => message.readUInt16BE(offset));
  if (questions !== 1 || answers !== 0 || authorities !== 0 || (additionals ?? 0) > 2) return undefined;
  const end = skipName(message, HEADER_BYTES, false) + 4;
  if (end > message.length) return undefined;
  const packet: DecodedPacket = decode(message);
  const [question] = packet.questions ?? [];
  if (question === undefined) return undefined;
  const options = packet.additionals?.filter((record) => record.type === "OPT") ?? [];
  if (options.length > 1) return undefined;
  const [opt] = options;
  return {
    id: message.readUInt16BE(0),
    flags: message.readUInt16BE(2),
    name: question.name,
    type: question.type,
    typeNumber: message.readUInt16BE(end - 4),
    class: message.readUInt16BE(end - 2),
    questionBytes: Buffer.from(message.subarray(HEADER_BYTES, end)),
    edns: opt?.type === "OPT" ? { udpBytes: opt.udpPayloadSize, isDnssecOk: (opt.flags & DNSSEC_OK) !== 0 } : undefined,
  };
}

/** Most bytes that the client takes in one datagram. */
export const datagramLimit = (query: Query): number => Math.max(PLAIN_UDP_BYTES, query.edns?.udpBytes ?? 0);

/** An answer of our own: addresses for A and AAAA, names for PTR; none at all is NODATA. */
export function writeAnswer(query: Query, data: readonly string[], ttlSeconds: number): Buffer {
  const answers = data.map((each) => ({ type: query.type, class: "IN", name: query.name, ttl: ttlSeconds, data: each }) as Answer);
  const message = encode({
    type: "response",
    id: query.id,
    flags: (query.flags & FLAG.recursionDesired) | FLAG.recursionAvailable,
    questions: [],
    answers,
    additionals: query.edns === undefined ? [] : [ownOpt(0)],
  });
  return withQuestion(query, message);
}

export function writeFailure(query: Query, rcode: number): Buffer {
  const flags = FLAG.response | FLAG.recursionAvailable | (query.flags & FLAG.recursionDesired) | rcode;
  const message = Buffer.alloc(HEADER_BYTES);
  message.writeUInt16BE(query.id, 0);
  message.writeUInt16BE(flags, 2);
  return withQuestion(query, message);
}

const ownOpt = (flags: number): OptAnswer => ({
  type: "OPT",
  name: ".",
  udpPayloadSize: OWN_UDP_BYTES,
  extendedRcode: 0,
  ednsVersion: 0,
  flags,
  flag_do: flags !== 0,
  options: [],
});

/** The question goes back as it came, whatever bytes its labels hold. */
function withQuestion(query: Query, message: Buffer): Buffer {
  const whole = Buffer.concat([message.subarray(0, HEADER_BYTES), query.questionBytes, message.subarray(HEADER_BYTES)]);
  whole.writeUInt16BE(1, 4);
  return whole;
}

/** What does not fit a datagram is asked for again by TCP (RFC 2181 9). */
export function fitDatagram(query: Query, answer: Buffer): Buffer {
  if (answer.length <= datagramLimit(query)) return answer;
  const short = withQuestion(query, Buffer.from(answer.subarray(0, HEADER_BYTES)));
  short.writeUInt16BE(short.readUInt16BE(2) | FLAG.truncated, 2);
  for (const offset of [6, 8, 10]) short.writeUInt16BE(0, offset);
  return short;
}

/** A query for a resolver outside: nothing of the client's goes out but its question and what it wants to know about signatures. */
export function writeQuery(query: Query, id: number, questionBytes: Buffer): Buffer {
  const message = encode({
    type: "query",
    id,
    flags: FLAG.recursionDesired | (query.flags & FLAG.checkingDisabled),
    questions: [],
    additionals: query.edns === undefined ? [] : [ownOpt(query.edns.isDnssecOk ? DNSSEC_OK : 0)],
  });
  return withQuestion({ ...query, questionBytes }, message);
}

/** Letters of the name in either case by chance (0x20): who does not see the query must guess them too. */
export function scrambleCase(questionBytes: Buffer, randomBit: () => boolean): Buffer {
  const scrambled = Buffer.from(questionBytes);
  // Lengths are below 64 and so never letters; the last four bytes are type and class.
  for (let index = 0; index < scrambled.length - 4; index += 1) {
    const byte = scrambled[index] ?? 0;
    if (((byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a)) && randomBit()) scrambled[index] = byte ^ 0x20;
  }
  return scrambled;
}

/** Whether a message answers exactly this query: id, one question, and each letter of it. */
export function isAnswerTo(message: Buffer, sent: { id: number; questionBytes: Buffer }): boolean {
  const end = HEADER_BYTES + sent.questionBytes.length;
  return (
    message.length >= end &&
    message.readUInt16BE(0) === sent.id &&
    (message.readUInt16BE(2) & FLAG.response) !== 0 &&
    message.readUInt16BE(4) === 1 &&
    message.subarray(HEADER_BYTES, end).equals(sent.questionBytes)
  );
}

export const isTruncated = (message: Buffer): boolean => (message.readUInt16BE(2) & FLAG.truncated) !== 0;
export const rcodeOf = (message: Buffer): number => message.readUInt8(3) & 0x0f;

/** Where the records of an answer keep their time to live, and for how many seconds it may be kept. */
export type Ages = { offsets: readonly number[]; ttlSeconds: number };

/** @returns undefined for a message whose records do not add up: it must not be handed on. */
export function readAges(message: Buffer): Ages | undefined {
  return tryDo(() => walkRecords(message));
}

function walkRecords(message: Buffer): Ages {
  const counts = [6, 8, 10].map((offset) => message.readUInt16BE(offset));
  const offsets: number[] = [];
  let ttlSeconds = Number.POSITIVE_INFINITY;
  let at = skipName(message, HEADER_BYTES, false) + 4;
  for (let left = counts.reduce((sum, count) => sum + count, 0); left > 0; left -= 1) {
    const fields = skipName(message, at, true);
    const type = message.readUInt16BE(fields);
    const end = fields + 10 + message.readUInt16BE(fields + 8);
    if (end > message.length) throw new RangeError("a record is cut off");
    if (type !== TYPE_OPT) {
      offsets.push(fields + 4);
      ttlSeconds = Math.min(ttlSeconds, message.readUInt32BE(fields + 4));
      // A negative answer is kept for the SOA's minimum at most (RFC 2308 5).
      if (type === TYPE_SOA && counts[0] === 0) ttlSeconds = Math.min(ttlSeconds, message.readUInt32BE(end - 4));
    }
    at = end;
  }
  return { offsets, ttlSeconds: Number.isFinite(ttlSeconds) ? ttlSeconds : 0 };
}

/** A kept answer as this client is to have it: its id, its spelling, and what is left of the times to live. */
export function handOn(answer: Buffer, query: Query, aged: { offsets: readonly number[]; seconds: number }): Buffer {
  const message = Buffer.from(answer);
  message.writeUInt16BE(query.id, 0);
  message.set(query.questionBytes, HEADER_BYTES);
  message.writeUInt16BE((message.readUInt16BE(2) & ~FLAG.recursionDesired) | (query.flags & FLAG.recursionDesired) | FLAG.recursionAvailable, 2); // prettier-ignore
  for (const offset of aged.offsets) message.writeUInt32BE(Math.max(0, message.readUInt32BE(offset) - aged.seconds), offset);
  return message;
}

/** Offset behind a name. A pointer ends it and is not followed here, so no loop of them can hold us. */
function skipName(message: Buffer, start: number, mayPoint: boolean): number {
  for (let at = start; at - start <= MAX_NAME_BYTES;) {
    const length = message.readUInt8(at);
    if (length === 0) return at + 1;
    if (length >= 0xc0 && mayPoint) return at + 2;
    if (length >= 0x40) throw new RangeError("a label is too long");
    at += length + 1;
  }
  throw new RangeError("a name is too long");
}

function headerOnly(message: Buffer, rcode: number): Buffer {
  const answer = Buffer.alloc(HEADER_BYTES);
  answer.writeUInt16BE(message.readUInt16BE(0), 0);
  answer.writeUInt16BE(FLAG.response | FLAG.recursionAvailable | (message.readUInt16BE(2) & (FLAG.recursionDesired | OPCODE_MASK)) | rcode, 2); // prettier-ignore
  return answer;
}

function tryDo<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
