import { hostName, parseJoinToken } from "@flotilla/protocol";
import { dial } from "./dial.ts";
import { makeNonce, shakeHands } from "./handshake.ts";
import { ensureHostKey, writeIdentity } from "./identity-file.ts";
import { readLinkFacts } from "./link-facts.ts";

export type JoinRequest = {
  /** `$FLOTILLA_DATA/agent` */
  dataDir: string;
  controlUrl: string;
  /** As printed by the control plane: pins its key. */
  token: string;
  /** Wanted name; the token's own name wins. Default: the machine's host name. */
  name?: string | undefined;
  agentVersion: string;
  signal?: AbortSignal;
};

export type Joined = { hostId: string; name: string };

/**
 * Makes this machine a host of a control plane: its key is made here and its private half stays here; the token is used
 * and forgotten. A running agent notices the new identity by itself.
 * @throws invalid for a malformed token or URL; forbidden when either end refuses the other.
 */
export async function joinControlPlane(request: JoinRequest): Promise<Joined> {
  const token = parseJoinToken(request.token);
  const facts = readLinkFacts(request.agentVersion);
  const key = ensureHostKey(request.dataDir);
  const dialled = await dial(request.controlUrl, request.signal);
  try {
    const { welcome, binding } = await shakeHands(dialled, {
      purpose: "join",
      subject: token.id,
      key,
      serverKey: token.serverKey,
      binding: undefined,
      processId: makeNonce(),
      facts,
      name: request.name === undefined ? toHostName(facts.hostname) : hostName.parse(request.name),
      secret: token.secret,
    });
    writeIdentity(request.dataDir, {
      version: 1,
      controlUrl: request.controlUrl,
      serverKey: token.serverKey,
      hostId: welcome.hostId,
      name: welcome.name,
      binding,
    });
    return { hostId: welcome.hostId, name: welcome.name };
  } finally {
    dialled.socket.close(1000, "joined");
    dialled.socket.terminate();
  }
}

/** A machine's name as a host's name: lower case, the first label, everything else as dashes. */
export function toHostName(hostname: string): string {
  const label = (hostname.split(".")[0] ?? "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, 63)
    .replace(/^-+|-+$/g, "");
  return label === "" ? "host" : label;
}
