import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { TLSSocket } from "node:tls";
import { FlotillaError } from "@flotilla/core";
import {
  digestHello,
  EXPORTER_BYTES,
  EXPORTER_LABEL,
  HANDSHAKE_TIMEOUT_MS,
  type HelloMessage,
  helloMessage,
  isSignedBy,
  type LinkSocket,
  parseMessage,
  PROTOCOL_VERSIONS,
  proofMessage,
  type RefusalCode,
  signMessage,
  type SigningKey,
  type Transcript,
  transcriptBytes,
} from "@flotilla/protocol";
import { isLoopbackAddress } from "../env.ts";

/** What the server knows of the channel by itself. */
export type Channel = {
  address: string;
  isLoopback: boolean;
  /** base64url of the TLS exporter, when this process terminates TLS. */
  exporter: string | undefined;
  /** The operator runs a proxy that terminates TLS. */
  isBehindProxy: boolean;
};

/** What is known of the channel that a request to upgrade came on. */
export function channelOf(req: IncomingMessage, known: { address: string; isBehindProxy: boolean }): Channel {
  const { socket } = req;
  const exporter =
    socket instanceof TLSSocket
      ? socket.exportKeyingMaterial(EXPORTER_BYTES, EXPORTER_LABEL, Buffer.alloc(0)).toString("base64url")
      : undefined;
  return { ...known, exporter, isLoopback: isLoopbackAddress(socket.remoteAddress ?? "") };
}

/** An agent that has proved to own `hello.publicKey`. What it claims to be is still to be compared with the database. */
export type ProvedAgent = { hello: HelloMessage; secret: string | undefined };

/** Why an agent is turned away; the message is for its log. */
export function refuse(code: RefusalCode, message: string, retryAfterMs?: number): FlotillaError {
  return new FlotillaError("forbidden", message, { details: { refusal: code, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) } });
}

/**
 * The control plane's half of the handshake: it proves its key first, then the agent proves its own.
 * @throws FlotillaError with `details.refusal`.
 */
export async function proveBothEnds(socket: LinkSocket, channel: Channel, key: SigningKey): Promise<ProvedAgent> {
  const raw = await socket.nextText(HANDSHAKE_TIMEOUT_MS);
  const hello = parseOrRefuse(() => parseMessage(helloMessage, raw));
  const protocol = Math.max(...hello.protocols.filter((version) => PROTOCOL_VERSIONS.includes(version)));
  if (!Number.isFinite(protocol))
    throw refuse("version", `this control plane speaks link protocol ${PROTOCOL_VERSIONS.join(", ")}: update the agent`);
  const binding = chooseBinding(hello, channel);
  const asked = { protocol, purpose: hello.purpose, subject: hello.subject, agentNonce: hello.nonce, agentKey: hello.publicKey, binding };
  const { answer, isSigned } = await challenge(socket, key, { ...asked, helloDigest: digestHello(raw) });
  const proof = parseOrRefuse(() => parseMessage(proofMessage, answer));
  if (!isSigned(proof.signature)) throw refuse("bad_proof", "the signature is wrong");
  return { hello, secret: proof.secret };
}

/**
 * Proves our key over all that was said, and waits for the answer of whoever dialled, an agent or another control plane.
 * @returns the answer, and whether a signature in it is theirs over the same.
 */
export async function challenge(
  socket: LinkSocket,
  key: SigningKey,
  asked: Omit<Transcript, "serverNonce" | "serverKey">,
): Promise<{ answer: Uint8Array; isSigned: (signature: string) => boolean }> {
  const transcript: Transcript = { ...asked, serverNonce: randomBytes(32).toString("base64url"), serverKey: key.publicKey };
  socket.sendText({
    type: "challenge",
    protocol: asked.protocol,
    publicKey: key.publicKey,
    nonce: transcript.serverNonce,
    binding: asked.binding === "none" ? "none" : "tls-exporter",
    signature: signMessage(key, transcriptBytes("server", transcript)),
  });
  const answer = await socket.nextText(HANDSHAKE_TIMEOUT_MS);
  return { answer, isSigned: (signature) => isSignedBy(asked.agentKey, transcriptBytes("agent", transcript), signature) };
}

/** How the channel enters the signatures. A channel that ought to be TLS and is not is refused: somebody took it off. */
export function chooseBinding(hello: { isTls: boolean }, channel: Channel): string {
  if (channel.exporter !== undefined) {
    if (!hello.isTls) throw refuse("bad_proof", "the other end does not see the TLS channel that the control plane sees");
    return `tls-exporter:${channel.exporter}`;
  }
  if (channel.isBehindProxy || (channel.isLoopback && !hello.isTls)) return "none";
  throw refuse("bad_proof", "something between terminates TLS, and this control plane was not told of a proxy");
}

function parseOrRefuse<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw refuse("bad_request", error instanceof Error ? error.message : "a handshake message is malformed");
  }
}
