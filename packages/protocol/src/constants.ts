/** WebSocket subprotocol and path of the link between an agent and the control plane. */
export const LINK_SUBPROTOCOL = "flotilla.v1";
export const LINK_PATH = "/agent/v1";

/** Version of the handshake and of what runs inside. An agent says which it speaks; the control plane picks the newest common one. */
export const PROTOCOL_VERSIONS: readonly number[] = [1];

/** A WebSocket message may not be larger: HTTP/2 frames are 16 KiB, and a write gathers a few of them. */
export const MAX_MESSAGE_BYTES = 1024 * 1024;

/** A message of the handshake may not be larger. */
export const MAX_HANDSHAKE_BYTES = 16 * 1024;

/** The whole handshake must be over by then. */
export const HANDSHAKE_TIMEOUT_MS = 10_000;

/** Both ends send a WebSocket ping this often, and the agent its stats unless it is asked for fewer. */
export const HEARTBEAT_INTERVAL_MS = 5_000;

/** Header by which the control plane asks for stats less often: a large fleet would be all it hears. Milliseconds. */
export const HEARTBEAT_INTERVAL_HEADER = "x-flotilla-heartbeat-interval";

/** Nothing at all heard from the other end for this long: the connection is dead. Three heartbeats and some slack. */
export const SILENCE_LIMIT_MS = 17_000;

/** Path, inside the tunnel, of the agent's endless answer of heartbeats (one JSON document a line). Not part of the engine's API. */
export const HEARTBEAT_PATH = "/flotilla/v1/link/heartbeats";

/** Header by which the control plane says whose objects a call is about. Only the tunnel may carry it. */
export const NAMESPACE_HEADER = "x-flotilla-namespace";

/** Header by which the control plane gives a host a ticket for who called: it comes back with a wish that the call leads to. */
export const CALLER_HEADER = "x-flotilla-caller";

/** Header of a hijacked call inside the tunnel, where HTTP/2 has no 101: the answer is 200 and carries this. */
export const HIJACK_HEADER = "x-flotilla-hijack";

/**
 * Request header of a hijacked call inside the tunnel: how many bytes of JSON body come before the raw input (what was
 * Content-Length in HTTP/1.1, which HTTP/2 would take as the length of the whole stream). "0" when there is none.
 */
export const HIJACK_BODY_HEADER = "x-flotilla-hijack-body";
