import { randomBytes } from "node:crypto";
import { FlotillaError } from "@flotilla/core";
import {
  challengeMessage,
  digestHello,
  HANDSHAKE_TIMEOUT_MS,
  type HelloMessage,
  type HostFacts,
  isSignedBy,
  parseMessage,
  PROTOCOL_VERSIONS,
  type RefusalCode,
  type ServerMessage,
  serverMessage,
  signMessage,
  type SigningKey,
  type Transcript,
  transcriptBytes,
  type WelcomeMessage,
} from "@flotilla/protocol";
import type { Dialled } from "./dial.ts";

export type HandshakeRequest = {
  purpose: HelloMessage["purpose"];
  /** Host id, or id of the join token. */
  subject: string;
  key: SigningKey;
  /** Pinned key of the control plane. */
  serverKey: string;
  /** Least binding of the channel that is accepted; undefined at the join, which sets it. */
  binding: "tls-exporter" | "none" | undefined;
  processId: string;
  facts: HostFacts;
  name?: string;
  /** Secret of the join token; sent only after the control plane has proved its key. */
  secret?: string;
};

export type HandshakeResult = { welcome: WelcomeMessage; binding: "tls-exporter" | "none" };

/** The control plane said no. `details.refusal` is its code, `details.retryAfterMs` how long to stay away. */
export function refusal(code: RefusalCode, message: string, retryAfterMs?: number): FlotillaError {
  return new FlotillaError("forbidden", `the control plane refused: ${message}`, {
    details: { refusal: code, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) },
  });
}

export function makeNonce(): string {
  return randomBytes(32).toString("base64url");
}

/**
 * The agent's half of the handshake (packages/protocol/src/handshake.ts). Nothing secret is sent before the control
 * plane has signed with the pinned key.
 * @throws forbidden with `details.refusal`, or `details.impostor` when the server does not own the pinned key.
 */
export async function shakeHands(dialled: Dialled, request: HandshakeRequest): Promise<HandshakeResult> {
  const { socket } = dialled;
  const hello: HelloMessage = {
    type: "hello",
    protocols: [...PROTOCOL_VERSIONS],
    purpose: request.purpose,
    subject: request.subject,
    publicKey: request.key.publicKey,
    nonce: makeNonce(),
    isTls: dialled.isTls,
    processId: request.processId,
    facts: request.facts,
    ...(request.name === undefined ? {} : { name: request.name }),
  };
  socket.sendText(hello);
  const challenge = challengeMessage.safeParse(await nextMessage(dialled));
  if (!challenge.success) throw new FlotillaError("forbidden", "the control plane sent no challenge");
  const { protocol, nonce, publicKey, binding, signature } = challenge.data;
  if (publicKey !== request.serverKey) throw impostor("its key is not the one that this host joined");
  if (!PROTOCOL_VERSIONS.includes(protocol))
    throw new FlotillaError("forbidden", `the control plane wants protocol ${protocol}, which this agent does not speak`);
  if (binding === "tls-exporter" && dialled.exporter === undefined) throw impostor("it claims a TLS channel, which this is not");
  if (binding === "none" && request.binding === "tls-exporter")
    throw impostor("the channel is not bound to its TLS session as it was when this host joined");
  const transcript: Transcript = {
    protocol,
    purpose: request.purpose,
    subject: request.subject,
    agentNonce: hello.nonce,
    serverNonce: nonce,
    agentKey: request.key.publicKey,
    serverKey: request.serverKey,
    binding: binding === "none" ? "none" : `tls-exporter:${dialled.exporter ?? ""}`,
    helloDigest: digestHello(new TextEncoder().encode(JSON.stringify(hello))),
  };
  if (!isSignedBy(publicKey, transcriptBytes("server", transcript), signature)) throw impostor("its signature is wrong");
  const secret = request.secret === undefined ? {} : { secret: request.secret };
  socket.sendText({ type: "proof", signature: signMessage(request.key, transcriptBytes("agent", transcript)), ...secret });
  const answer = await nextMessage(dialled);
  if (answer.type !== "welcome") throw new FlotillaError("forbidden", "the control plane did not welcome this host");
  return { welcome: answer, binding };
}

async function nextMessage({ socket }: Dialled): Promise<ServerMessage> {
  const message = parseMessage(serverMessage, await socket.nextText(HANDSHAKE_TIMEOUT_MS));
  if (message.type === "refused") throw refusal(message.code, message.message, message.retryAfterMs);
  return message;
}

function impostor(why: string): FlotillaError {
  return new FlotillaError("forbidden", `this is not the control plane that this host knows: ${why}`, { details: { impostor: true } });
}
