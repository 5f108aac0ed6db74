import { createHmac, randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { decodeProbe, encodeProbe, PROBE_BYTES, type ProbeMessage } from "./probe-message.ts";

const key = randomBytes(32);
const question: ProbeMessage = { kind: "question", sender: 7, receiver: 0xffff_fffe, nonce: "0123456789abcdef" };
const keyOf = (sender: number): Buffer | undefined => (sender === 7 ? key : undefined);

test.each([question, { ...question, kind: "answer" } as const])("a %j is read as it was written", (message) => {
  const datagram = encodeProbe(message, key);
  expect(datagram).toHaveLength(PROBE_BYTES);
  expect(decodeProbe(datagram, keyOf)).toEqual(message);
});

test("a question may be longer, and is read whole", () => {
  const datagram = encodeProbe(question, key, 1472);
  expect(datagram).toHaveLength(1472);
  expect(decodeProbe(datagram, keyOf)).toEqual(question);
});

describe("nobody takes", () => {
  const good = encodeProbe(question, key);
  const changed = (at: number): Buffer => {
    const copy = Buffer.from(good);
    copy.writeUInt8(copy.readUInt8(at) ^ 1, at);
    return copy;
  };

  test.each(Array.from({ length: PROBE_BYTES }, (_, at) => at))("a probe whose byte %i is another", (at) => {
    expect(decodeProbe(changed(at), keyOf)).toBeUndefined();
  });

  test("a probe of a host that is no peer, or by another key", () => {
    expect(decodeProbe(encodeProbe({ ...question, sender: 8 }, key), keyOf)).toBeUndefined();
    expect(decodeProbe(encodeProbe(question, randomBytes(32)), keyOf)).toBeUndefined();
  });

  test.each([0, 1, PROBE_BYTES - 1])("%i bytes", (length) => expect(decodeProbe(good.subarray(0, length), keyOf)).toBeUndefined());

  test("a probe that was cut or has something behind it", () => {
    const long = encodeProbe(question, key, 100);
    expect(decodeProbe(long.subarray(0, 99), keyOf)).toBeUndefined();
    expect(decodeProbe(Buffer.concat([good, Buffer.alloc(1)]), keyOf)).toBeUndefined();
  });

  test("a probe of another version, also when its digest is right", () => {
    const other = Buffer.from(good);
    other.writeUInt8(2, 4);
    createHmac("sha256", key).update(other.subarray(0, 24)).digest().copy(other, 24, 0, 16);
    expect(decodeProbe(other, keyOf)).toBeUndefined();
  });
});
