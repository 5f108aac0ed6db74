import { EventEmitter } from "node:events";
import {
  digestHello,
  generateSigningKey,
  LinkSocket,
  type PeerHello,
  signMessage,
  type SigningKey,
  type Transcript,
  transcriptBytes,
  type WebSocketLike,
} from "@flotilla/protocol";
import { describe, expect, test } from "vitest";
import type { Channel } from "../agent-hub/server-handshake.ts";
import { provePeerAsAcceptor, provePeerAsDialler } from "./peer-handshake.ts";

const A = "a".repeat(32);
const B = "b".repeat(32);
const loopback: Channel = { address: "127.0.0.1", isLoopback: true, exporter: undefined, isBehindProxy: false };

/** Two ends of a WebSocket; `spy` sees, and may change, each text on its way. */
function pair(spy: (text: string, fromDialler: boolean) => string = (text) => text): { dialler: LinkSocket; acceptor: LinkSocket } {
  const ends = [new EventEmitter(), new EventEmitter()] as const;
  const make = (own: EventEmitter, other: EventEmitter, fromDialler: boolean): WebSocketLike => ({
    send: (data) => void setImmediate(() => other.emit("message", Buffer.from(spy(String(data), fromDialler)), false)),
    ping: () => undefined,
    pause: () => undefined,
    resume: () => undefined,
    close: () => ends.forEach((end) => end.emit("close", 1008, Buffer.from("closed"))),
    terminate: () => ends.forEach((end) => end.emit("close", 1006, Buffer.alloc(0))),
    on: (event: string, listener: (...args: never[]) => void) => own.on(event, listener as (...args: unknown[]) => void),
  });
  return { dialler: new LinkSocket(make(ends[0], ends[1], true)), acceptor: new LinkSocket(make(ends[1], ends[0], false)) };
}

type Ends = {
  dialler?: SigningKey;
  acceptor?: SigningKey;
  to?: string;
  from?: string;
  channel?: Channel;
  exporter?: string;
  spy?: (text: string, fromDialler: boolean) => string;
};

/** Both halves against each other; each one's failure, if any. */
async function shake(key: SigningKey, ends: Ends = {}): Promise<{ dialler: string; acceptor: string }> {
  const { dialler, acceptor } = pair(ends.spy);
  const accepting = provePeerAsAcceptor(acceptor, ends.channel ?? loopback, { key: ends.acceptor ?? key, planeId: B }).then(
    ({ from }) => {
      acceptor.sendText({ type: "welcome" });
      return `ok ${from}`;
    },
    (error: Error & { details?: { refusal?: string } }) => {
      acceptor.close(1008, "refused");
      return error.details?.refusal ?? error.message;
    },
  );
  const dialling = provePeerAsDialler({
    socket: dialler,
    key: ends.dialler ?? key,
    from: ends.from ?? A,
    to: ends.to ?? B,
    isTls: ends.exporter !== undefined,
    exporter: ends.exporter,
  }).then(
    () => "ok",
    (error: Error) => {
      dialler.close(1008, "refused");
      return error.message;
    },
  );
  return { dialler: await dialling, acceptor: await accepting };
}

describe("the handshake of two control planes", () => {
  const key = generateSigningKey();

  test("both with the one key that they share, and of the ids that are meant, know each other", async () => {
    expect(await shake(key)).toEqual({ dialler: "ok", acceptor: `ok ${A}` });
  });

  test("over TLS that both ends see they sign the channel; through a proxy that the operator named they do not", async () => {
    const tls: Channel = { ...loopback, isLoopback: false, exporter: "same" };
    expect(await shake(key, { channel: tls, exporter: "same" })).toEqual({ dialler: "ok", acceptor: `ok ${A}` });
    expect((await shake(key, { channel: tls, exporter: "other" })).dialler).toMatch(/does not prove/);
    expect((await shake(key, { channel: { ...loopback, isBehindProxy: true }, exporter: "x" })).acceptor).toBe(`ok ${A}`);
    expect((await shake(key, { channel: { ...loopback, isLoopback: false } })).acceptor).toBe("bad_proof");
  });

  test("a dialler without the key is refused before anything is signed", async () => {
    const said: string[] = [];
    const spy = (text: string, fromDialler: boolean): string => {
      if (!fromDialler) said.push(text);
      return text;
    };
    expect((await shake(key, { dialler: generateSigningKey(), spy })).acceptor).toBe("bad_key");
    expect(said).toEqual([]);
  });

  test("a dialler that shows the public half only is refused", async () => {
    const dialler = { publicKey: key.publicKey, privateKey: generateSigningKey().privateKey };
    expect((await shake(key, { dialler })).acceptor).toBe("bad_proof");
  });

  test("an acceptor without the key is left", async () => {
    const acceptor = { publicKey: key.publicKey, privateKey: generateSigningKey().privateKey };
    expect((await shake(key, { acceptor })).dialler).toMatch(/does not prove/);
  });

  test("who reached another control plane than the one meant, or itself, is refused", async () => {
    expect((await shake(key, { to: "c".repeat(32) })).acceptor).toBe("wrong_instance");
    expect((await shake(key, { from: B })).acceptor).toBe("wrong_instance");
  });

  test.each([
    ["the ids", (hello: PeerHello) => ({ ...hello, from: "d".repeat(32) })],
    ["the nonce", (hello: PeerHello) => ({ ...hello, nonce: "A".repeat(43) })],
    ["what is said of the channel", (hello: PeerHello) => ({ ...hello, protocols: [1, 2] })],
  ])("%s cannot be changed on the way", async (_what, change) => {
    const spy = (text: string, fromDialler: boolean): string => {
      const message = JSON.parse(text) as PeerHello;
      return fromDialler && message.type === "hello" ? JSON.stringify(change(message)) : text;
    };
    expect((await shake(key, { spy })).dialler).toMatch(/does not prove/);
  });

  test("what one end signed is no proof of the other one, in this handshake or in another (reflection, replay)", async () => {
    // The acceptor's own signature, sent back to it as the dialler's.
    const reflected = await talk(key, ({ challenge }) => challenge.signature);
    expect(reflected).toBe("bad_proof");
    // A dialler's proof of an earlier handshake with the same words.
    const first = await talk(key, ({ transcript }) => signMessage(key, transcriptBytes("agent", transcript)));
    expect(first).toBe(`ok ${A}`);
    const earlier = { last: "" };
    await talk(key, ({ transcript }) => (earlier.last = signMessage(key, transcriptBytes("agent", transcript))));
    expect(await talk(key, () => earlier.last)).toBe("bad_proof");
    // The same words signed for an agent's link.
    expect(await talk(key, ({ transcript }) => signMessage(key, transcriptBytes("agent", { ...transcript, purpose: "connect" })))).toBe(
      "bad_proof",
    );
  });

  test.each(["", "{", "[]", JSON.stringify({ type: "hello" }), JSON.stringify({ type: "hello", purpose: "connect" }), "x".repeat(20_000)])(
    "a hello that is none is refused (%#)",
    async (text) => {
      const { dialler, acceptor } = pair(() => text);
      dialler.sendText("x");
      await expect(provePeerAsAcceptor(acceptor, loopback, { key, planeId: B })).rejects.toMatchObject({
        details: { refusal: "bad_request" },
      });
    },
  );
});

type Challenge = { protocol: number; nonce: string; signature: string };

/** A dialler by hand: `sign` makes its proof. Returns what the acceptor made of it. */
async function talk(key: SigningKey, sign: (known: { challenge: Challenge; transcript: Transcript }) => string): Promise<string> {
  const { dialler, acceptor } = pair();
  const accepting = provePeerAsAcceptor(acceptor, loopback, { key, planeId: B }).then(
    ({ from }) => `ok ${from}`,
    (error: { details: { refusal: string } }) => error.details.refusal,
  );
  const nonce = "N".repeat(43);
  const { publicKey } = key;
  const hello = { type: "hello", protocols: [1], purpose: "peer", from: A, to: B, publicKey, nonce, isTls: false };
  dialler.sendText(hello);
  const challenge = JSON.parse((await dialler.nextText(1_000)).toString()) as Challenge;
  const transcript: Transcript = {
    protocol: 1,
    purpose: "peer",
    subject: `${A} ${B}`,
    agentNonce: nonce,
    serverNonce: challenge.nonce,
    agentKey: publicKey,
    serverKey: publicKey,
    binding: "none",
    helloDigest: digestHello(Buffer.from(JSON.stringify(hello))),
  };
  dialler.sendText({ type: "proof", signature: sign({ challenge, transcript }) });
  return accepting;
}
