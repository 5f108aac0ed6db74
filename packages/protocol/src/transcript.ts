/**
 * What both ends sign. Every field that decides who talks to whom is in it, so that no part of a handshake can be taken
 * into another: the direction, the version, the purpose, the host, both nonces, both keys and the channel.
 */
export type Transcript = {
  protocol: number;
  /** `peer`: both ends are control planes, of which the dialler signs as the agent does. */
  purpose: "connect" | "join" | "peer";
  /** Host id when connecting, id of the join token when joining; between control planes the dialler's id and the one it means to reach. */
  subject: string;
  agentNonce: string;
  serverNonce: string;
  agentKey: string;
  serverKey: string;
  /** `tls-exporter:` + base64url of the TLS channel's exporter (RFC 5705), or `none` on a channel without TLS. */
  binding: string;
  /** Digest of what the agent says about itself, so that it cannot be changed on the way. */
  helloDigest: string;
};

const FIELDS = ["protocol", "purpose", "subject", "agentNonce", "serverNonce", "agentKey", "serverKey", "binding", "helloDigest"] as const;

/** Bytes to sign. Each field is preceded by its length, so that no two transcripts have the same bytes. */
export function transcriptBytes(signer: "agent" | "server", transcript: Transcript): Uint8Array {
  const parts = [`flotilla link ${signer}`, ...FIELDS.map((field) => String(transcript[field]))];
  return new TextEncoder().encode(parts.map((part) => `${new TextEncoder().encode(part).length}:${part}`).join(","));
}

/** Label of the TLS exporter. */
export const EXPORTER_LABEL = "EXPORTER-flotilla-link-v1";
export const EXPORTER_BYTES = 32;
