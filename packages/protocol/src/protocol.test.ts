import { describe, expect, test } from "vitest";
import {
  formatJoinToken,
  formatSigningKey,
  generateSigningKey,
  helloMessage,
  hostName,
  isSignedBy,
  parseJoinToken,
  parseMessage,
  parseSigningKey,
  signMessage,
  transcriptBytes,
  type Transcript,
} from "./index.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("keys", () => {
  test("a signature is good for its message and its key only", () => {
    const key = generateSigningKey();
    const signature = signMessage(key, bytes("hello"));
    expect(isSignedBy(key.publicKey, bytes("hello"), signature)).toBe(true);
    expect(isSignedBy(key.publicKey, bytes("hullo"), signature)).toBe(false);
    expect(isSignedBy(generateSigningKey().publicKey, bytes("hello"), signature)).toBe(false);
  });

  test("malformed keys and signatures are not signatures, and throw nothing", () => {
    const key = generateSigningKey();
    expect(isSignedBy("", bytes(""), "")).toBe(false);
    expect(isSignedBy(key.publicKey, bytes(""), "A".repeat(86))).toBe(false);
    expect(isSignedBy("A".repeat(43), bytes(""), "A".repeat(86))).toBe(false);
  });

  test("a key read from its file is the same key", () => {
    const key = generateSigningKey();
    expect(parseSigningKey(formatSigningKey(key)).publicKey).toBe(key.publicKey);
  });

  test("a file that holds no key is refused", () => {
    expect(() => parseSigningKey("nonsense")).toThrow("read the private key");
  });
});

describe("join tokens", () => {
  const token = { id: "0199aaaa-bbbb-7ccc-8ddd-eeeeffff0000", secret: "s".repeat(43), serverKey: generateSigningKey().publicKey };

  test("what is printed can be read back, with spaces around it", () => {
    expect(parseJoinToken(` ${formatJoinToken(token)}\n`)).toEqual(token);
  });

  test.each(["", "flj1", "flj2.a.b.c", `${formatJoinToken(token)}x`, "flt_abc"])("%j is refused, and not repeated", (text) => {
    expect(() => parseJoinToken(text)).toThrow(/^this is not a join token/);
  });
});

describe("transcripts", () => {
  const transcript: Transcript = {
    protocol: 1,
    purpose: "connect",
    subject: "h",
    agentNonce: "a",
    serverNonce: "b",
    agentKey: "k",
    serverKey: "s",
    binding: "none",
    helloDigest: "d",
  };

  test("an agent's signature is never good as the control plane's", () => {
    expect(transcriptBytes("agent", transcript)).not.toEqual(transcriptBytes("server", transcript));
  });

  test("moving a letter from one field to the next changes the bytes", () => {
    const moved = { ...transcript, agentNonce: "ab", serverNonce: "" };
    expect(transcriptBytes("agent", moved)).not.toEqual(transcriptBytes("agent", { ...transcript, agentNonce: "a", serverNonce: "b" }));
  });
});

describe("messages", () => {
  test.each(["{", "[]", "null", '{"type":"hello"}', '{"type":"other"}'])("%s is refused", (text) => {
    expect(() => parseMessage(helloMessage, bytes(text))).toThrow(/handshake message/);
  });

  test("a message longer than the bound is not even parsed", () => {
    expect(() => parseMessage(helloMessage, bytes(" ".repeat(20_000)))).toThrow("too long");
  });

  test.each(["web-1", "a", "0"])("%s is a host name", (name) => expect(hostName.safeParse(name).success).toBe(true));
  test.each(["", "Web", "-a", "a-", "a.b", "a/b", "ä", "a".repeat(64)])("%j is no host name", (name) =>
    expect(hostName.safeParse(name).success).toBe(false),
  );
});
