// One question of one container: answered from its networks, refused, or asked outside.
import { findNames } from "./find-names.ts";
import type { Forwarder, Upstream } from "./forwarder.ts";
import { fitDatagram, type Query, RCODE, readQuery, writeAnswer, writeFailure } from "./message.ts";
import type { ContainerView } from "./resolver-index.ts";

/** Short: a name that moves must be found at its new place within seconds. */
const TTL_SECONDS = 5;
const DNS_PORT = 53;
const CLASS_IN = 1;
const ANY_CLASS = 255;

export type AnswerDeps = {
  forwarder: Forwarder;
  /** Resolvers of the host, as they are now. */
  hostServers: () => readonly string[];
  /** Where an answer of several addresses begins: callers that take the first one are spread over them. */
  random: () => number;
};

/** Bytes in, bytes out; undefined for what deserves no answer. Never rejects. */
export async function answerQuery(
  deps: AnswerDeps,
  view: ContainerView | undefined,
  incoming: { message: Buffer; transport: "udp" | "tcp" },
): Promise<Buffer | undefined> {
  const reading = readQuery(incoming.message);
  if (reading.kind === "ignored") return undefined;
  if (reading.kind === "refused") return reading.answer;
  const { query } = reading;
  try {
    const answer = view === undefined ? writeFailure(query, RCODE.serverFailure) : await answerFor(deps, view, query);
    return incoming.transport === "udp" ? fitDatagram(query, answer) : answer;
  } catch {
    return writeFailure(query, RCODE.serverFailure);
  }
}

async function answerFor(deps: AnswerDeps, view: ContainerView, query: Query): Promise<Buffer> {
  const finding = query.class === CLASS_IN || query.class === ANY_CLASS ? findNames(view, query) : ({ kind: "elsewhere" } as const);
  if (finding.kind === "answer") return writeAnswer(query, rotate(finding.data, deps.random), TTL_SECONDS);
  if (!view.isForwarding) return writeFailure(query, RCODE.serverFailure);
  const upstreams = upstreamsOf(deps, view);
  const scope = view.servers.length === 0 ? "" : view.id;
  return await deps.forwarder.ask(query, { scope, containerId: view.id, upstreams });
}

/** Resolvers that a user named are asked from where the container is, the host's from where the host is. */
function upstreamsOf(deps: AnswerDeps, view: ContainerView): Upstream[] {
  if (view.servers.length > 0) return view.servers.map((address) => ({ address, port: DNS_PORT, netnsPath: view.netnsPath }));
  return deps.hostServers().map((address) => ({ address, port: DNS_PORT, netnsPath: undefined }));
}

function rotate(data: readonly string[], random: () => number): readonly string[] {
  const start = Math.floor(random() * data.length);
  return [...data.slice(start), ...data.slice(0, start)];
}
