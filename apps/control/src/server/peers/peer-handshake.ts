import { randomBytes } from "node:crypto";
import { FlotillaError } from "@flotilla/core";
import {
  challengeMessage,
  digestHello,
  HANDSHAKE_TIMEOUT_MS,
  isSignedBy,
  type LinkSocket,
  parseMessage,
  type PeerHello,
  peerHello,
  peerProof,
  peerRefused,
  type PeerRefusal,
  peerWelcome,
  PROTOCOL_VERSIONS,
  signMessage,
  type SigningKey,
  type Transcript,
  transcriptBytes,
} from "@flotilla/protocol";
import { z } from "zod";
import { challenge, type Channel, chooseBinding } from "../agent-hub/server-handshake.ts";

const answerToHello = z.discriminatedUnion("type", [challengeMessage, peerRefused]);
const answerToProof = z.discriminatedUnion("type", [peerWelcome, peerRefused]);

type Refused = z.output<typeof peerRefused>;

/** Why a peer is turned away. */
function refusePeer(code: PeerRefusal, message: string): FlotillaError {
  return new FlotillaError("forbidden", message, { details: { refusal: code } });
}

export type PeerDial = {
  socket: LinkSocket;
  key: SigningKey;
  from: string;
  to: string;
  isTls: boolean;
  /** Value of the channel's exporter, on TLS. */
  exporter: string | undefined;
};

/** The dialler's half. @throws forbidden when the other end has not the common key or is not the one meant, unavailable. */
export async function provePeerAsDialler(dialled: PeerDial): Promise<void> {
  const { socket, key, from, to, isTls, exporter } = dialled;
  const nonce = randomBytes(32).toString("base64url");
  const own = key.publicKey;
  const hello: PeerHello = { type: "hello", protocols: [...PROTOCOL_VERSIONS], purpose: "peer", from, to, publicKey: own, nonce, isTls };
  socket.sendText(hello);
  const challenge = await nextAnswer(socket, answerToHello);
  if (challenge.publicKey !== own) throw new FlotillaError("forbidden", "it has another identity: its secrets.json is not ours");
  if (!PROTOCOL_VERSIONS.includes(challenge.protocol)) throw new FlotillaError("forbidden", "it speaks another version");
  if (challenge.binding === "tls-exporter" && exporter === undefined)
    throw new FlotillaError("forbidden", "it claims a TLS channel, which this is not");
  const transcript: Transcript = {
    protocol: challenge.protocol,
    purpose: "peer",
    subject: `${from} ${to}`,
    agentNonce: nonce,
    serverNonce: challenge.nonce,
    agentKey: own,
    serverKey: own,
    binding: challenge.binding === "none" ? "none" : `tls-exporter:${exporter ?? ""}`,
    helloDigest: digestHello(new TextEncoder().encode(JSON.stringify(hello))),
  };
  if (!isSignedBy(own, transcriptBytes("server", transcript), challenge.signature))
    throw new FlotillaError("forbidden", "it does not prove our identity");
  socket.sendText({ type: "proof", signature: signMessage(key, transcriptBytes("agent", transcript)) });
  await nextAnswer(socket, answerToProof);
}

/** The acceptor's half, up to the welcome. Returns the dialler's id. @throws forbidden with `details.refusal`. */
export async function provePeerAsAcceptor(
  socket: LinkSocket,
  channel: Channel,
  own: { key: SigningKey; planeId: string },
): Promise<{ from: string }> {
  const raw = await socket.nextText(HANDSHAKE_TIMEOUT_MS);
  const hello = parseOrRefuse(() => parseMessage(peerHello, raw));
  const protocol = Math.max(...hello.protocols.filter((version) => PROTOCOL_VERSIONS.includes(version)));
  if (!Number.isFinite(protocol)) throw refusePeer("version", `this control plane speaks version ${PROTOCOL_VERSIONS.join(", ")}`);
  const { key } = own;
  // Before anything is signed: a stranger gets no signature of ours to use elsewhere.
  if (hello.publicKey !== key.publicKey) throw refusePeer("bad_key", "the identity is another one");
  if (hello.to !== own.planeId) throw refusePeer("wrong_instance", "this is not the control plane that is meant");
  if (hello.from === own.planeId) throw refusePeer("wrong_instance", "this is the control plane itself");
  const binding = chooseBinding(hello, channel);
  const subject = `${hello.from} ${hello.to}`;
  const asked = { protocol, purpose: "peer" as const, subject, agentNonce: hello.nonce, agentKey: hello.publicKey, binding };
  const { answer, isSigned } = await challenge(socket, key, { ...asked, helloDigest: digestHello(raw) });
  const proof = parseOrRefuse(() => parseMessage(peerProof, answer));
  if (!isSigned(proof.signature)) throw refusePeer("bad_proof", "the signature is wrong");
  return { from: hello.from };
}

async function nextAnswer<T extends { type: string }>(socket: LinkSocket, schema: z.ZodType<T>): Promise<Exclude<T, Refused>> {
  const message = parseMessage(schema, await socket.nextText(HANDSHAKE_TIMEOUT_MS));
  if (isRefused(message)) throw new FlotillaError("forbidden", `it refused: ${message.message}`);
  return message as Exclude<T, Refused>;
}

function isRefused(message: { type: string }): message is Refused {
  return message.type === "refused";
}

function parseOrRefuse<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw refusePeer("bad_request", error instanceof Error ? error.message : "a message is malformed");
  }
}
