// What the facts of both ends mean: whether A reaches B, and if not, which hop is to blame. Pure.
import type { Attempt, ListenFacts, ReachFacts } from "@flotilla/protocol";

/** In the order in which a packet meets them. */
export const REACH_HOPS = ["network", "name", "interface", "router", "underlay", "remoteRouter", "policy", "container", "port"] as const;
export type ReachHopName = (typeof REACH_HOPS)[number];

/** `warn`: works, and something about it will not always. `unknown`: cannot be told. `skipped`: not on this way. */
export type ReachHop = {
  hop: ReachHopName;
  state: "ok" | "warn" | "failed" | "unknown" | "skipped";
  /** What was seen, in words of the page's own, with what belongs into them. */
  code: string;
  values: Record<string, string | number>;
};

export type ReachVerdict = { verdict: "yes" | "no" | "unsure"; failedHop: ReachHopName | null; hops: ReachHop[] };

/** What is known of B beside what A sees. */
export type ReachTarget =
  | { kind: "address" }
  /** `addresses` are B's on networks that A is on too, `others` the rest. `isRunning` null: B's host could not be asked. */
  | { kind: "container"; name: string; addresses: string[]; others: string[]; isRunning: boolean | null; listen: ListenFacts | null };

export type ReachEvidence = { facts: ReachFacts; target: ReachTarget; port: number | null; remoteHost: string | null };

export function explainReach(evidence: ReachEvidence): ReachVerdict {
  const hops = HOPS.map((judge) => judge(evidence));
  const failed = hops.find(({ state }) => state === "failed");
  const port = hops.at(-1);
  if (failed !== undefined) return { verdict: "no", failedHop: failed.hop, hops };
  return { verdict: port?.state === "ok" ? "yes" : "unsure", failedHop: null, hops };
}

type Judge = (evidence: ReachEvidence) => ReachHop;

function says(hop: ReachHopName) {
  return (state: ReachHop["state"], code: string, values: ReachHop["values"] = {}): ReachHop => ({ hop, state, code, values });
}

const answers = ({ outcome }: Attempt): boolean => outcome === "open" || outcome === "refused";
/** Microseconds show on a quick network, nothing below does. */
const millis = ({ ms }: Attempt): number => Math.round(ms * 100) / 100;
/** The thing itself was reached, or its host said that nothing listens: whatever lies before it works. */
const gotThere = ({ port }: ReachFacts): boolean => port !== null && answers(port);

const judgeNetwork: Judge = ({ target }) => {
  const hop = says("network");
  if (target.kind === "address") return hop("skipped", "byAddress");
  return target.addresses.length > 0 ? hop("ok", "shared", { address: target.addresses.join(", ") }) : hop("failed", "none");
};

/** B has no address that A could know. */
const isApart = (target: ReachTarget): boolean => target.kind === "container" && target.addresses.length === 0;

const judgeName: Judge = ({ facts: { name, source }, target }) => {
  const hop = says("name");
  if (isApart(target)) return hop("skipped", "noCommon");
  const addresses = name.addresses.join(", ");
  if (name.outcome === "given") return hop("skipped", "byAddress");
  if (name.outcome === "unknown") return hop("failed", "unknown");
  // Docker's default bridge has no names, nor has the host's own network as far as we are asked.
  const hasNames = source?.network?.name !== "bridge" && source?.network !== null;
  if (name.outcome === "silent") return hasNames ? hop("failed", "silent") : hop("warn", "noResolver");
  const own = target.kind === "container" ? [...target.addresses, ...target.others] : name.addresses;
  return name.addresses.some((address) => own.includes(address)) ? hop("ok", "answered", { addresses }) : hop("failed", "other", { addresses }); // prettier-ignore
};

const judgeInterface: Judge = ({ facts: { source, address } }) => {
  const hop = says("interface");
  if (address === null) return hop("skipped", "noAddress");
  if (source === null) return hop("failed", "noRoute", { address });
  const { network } = source;
  return network === null ? hop("ok", "host", { address: source.address }) : hop("ok", "network", { address: source.address, network: network.name }); // prettier-ignore
};

const judgeRouter: Judge = ({ facts }) => {
  const hop = says("router");
  if (facts.router === null) return hop("skipped", "none");
  const { address, attempt } = facts.router;
  if (answers(attempt)) return hop("ok", "answered", { address, ms: millis(attempt) });
  // A bridge's gateway is the host itself, whose firewall may be silent to containers and forward for them all the same.
  const isOwn = facts.source?.network?.driver === "overlay";
  if (gotThere(facts) || (attempt.outcome === "silent" && !isOwn)) return hop("unknown", "silentHost", { address });
  return hop("failed", attempt.outcome === "silent" ? "silent" : "unreachable", { address, errno: attempt.errno });
};

const judgeUnderlay: Judge = ({ facts: { remote }, remoteHost }) => {
  const hop = says("underlay");
  if (remote === null) return hop("skipped", "sameHost");
  const { state, pathMtuBytes, needsBytes, rttMicros } = remote;
  const host = remoteHost ?? String(remote.host);
  if (state === "down") return hop("failed", "down", { host });
  if (state === "unknown") return hop("unknown", "unprobed", { host });
  if (pathMtuBytes !== null && pathMtuBytes < needsBytes) return hop("warn", "narrow", { host, pathMtuBytes, needsBytes });
  return hop("ok", "up", { host, ms: Math.round((rttMicros ?? 0) / 10) / 100, pathMtuBytes: pathMtuBytes ?? 0 });
};

const judgeRemoteRouter: Judge = ({ facts, remoteHost }) => {
  const hop = says("remoteRouter");
  if (facts.remote === null) return hop("skipped", "sameHost");
  const { router } = facts.remote;
  const host = remoteHost ?? String(facts.remote.host);
  if (router === null) return hop("unknown", "noAddress", { host });
  if (answers(router.attempt)) return hop("ok", "answered", { host, address: router.address, ms: millis(router.attempt) });
  if (gotThere(facts)) return hop("unknown", "silentRouter", { host });
  return hop("failed", facts.remote.state === "up" ? "tunnelSilent" : "silent", { host, address: router.address });
};

const judgePolicy: Judge = ({ facts: { policy, source } }) => {
  const hop = says("policy");
  if (source?.network?.driver !== "overlay") return hop("skipped", "none");
  return policy === "closed" ? hop("failed", "closed") : hop("ok", "open");
};

const judgeContainer: Judge = ({ facts: { service, address }, target }) => {
  const hop = says("container");
  if (service !== null) {
    const values = { service: service.id, backends: service.backends };
    return service.backends === 0 ? hop("failed", "noBackends", values) : hop("ok", "service", values);
  }
  if (target.kind === "address") return hop("skipped", "byAddress");
  const { name, isRunning, listen } = target;
  if (isRunning === null) return hop("unknown", "hostAway", { container: name });
  if (!isRunning) return hop("failed", "notRunning", { container: name });
  if (listen?.hasAddress === false) return hop("failed", "otherAddress", { container: name, address: address ?? "" });
  return hop("ok", "running", { container: name });
};

const judgePort: Judge = ({ facts: { port: attempt, address }, target, port }) => {
  const hop = says("port");
  if (attempt === null || address === null) return hop("skipped", "noAddress");
  const listen = target.kind === "container" ? target.listen : null;
  const values = { address, port: port ?? 0, ms: millis(attempt), errno: attempt.errno };
  if (port === null) return answers(attempt) ? hop("ok", "answers", values) : hop("failed", attempt.outcome, values);
  if (attempt.outcome === "open") return hop("ok", "open", values);
  if (isApart(target)) return hop("failed", "noCommon", values);
  if (listen?.listens === "elsewhere") return hop("failed", "elsewhere", values);
  if (listen?.listens === "nowhere") return hop("failed", "nowhere", values);
  if (attempt.outcome === "unsettled") return listen?.listens === "here" ? hop("ok", "listens", values) : hop("unknown", "unsettled", values); // prettier-ignore
  // It answers its own router: what A sends is lost between.
  if (attempt.outcome === "silent" && listen?.fromRouter?.outcome === "open") return hop("failed", "lostBetween", values);
  return hop("failed", attempt.outcome, values);
};

const HOPS: readonly Judge[] = [
  judgeNetwork,
  judgeName,
  judgeInterface,
  judgeRouter,
  judgeUnderlay,
  judgeRemoteRouter,
  judgePolicy,
  judgeContainer,
  judgePort,
];
