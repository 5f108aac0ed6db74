// Why something is done, or is not: a code and its values, so that pages can say it in their reader's language. The sentences here are English, for
// the command line, logs and audit. Pure.

export type Values = Readonly<Record<string, string | number>>;

/** `parts`: what it is made of; of `hosts` one for each group of hosts, each with the `count` of it. */
export type Reason = { code: ReasonCode; values: Values; parts?: readonly Reason[] };

type Sentence = (values: Values) => string;
/** For one host and for several: which one says `count`. */
const each =
  (one: (values: Values) => string, many: (values: Values) => string): Sentence =>
  (values) =>
    values["count"] === 1 ? one(values) : many(values);
const has = (what: (values: Values) => string): Sentence =>
  each(
    (values) => `has ${what(values)}`,
    (values) => `have ${what(values)}`,
  );
const is = (what: string): Sentence =>
  each(
    ({ value }) => `is ${what} ${value}`,
    ({ value }) => `are ${what} ${value}`,
  );
const isNot = (what: string): Sentence =>
  each(
    ({ value }) => `is not ${what} ${value}`,
    ({ value }) => `are not ${what} ${value}`,
  );

const SENTENCES = {
  /** What nobody gave a code: a sentence as it is. */
  text: ({ text }) => String(text),
  // Why a replica is made.
  none_there: () => "there is none",
  older_version: () => "it is of an older version",
  host_before_down: () => "the host of the replica before it is down",
  // Why a replica goes.
  not_wanted: () => "it is not wanted any more",
  drained: () => "it is drained",
  place_taken: () => "another replica has its place",
  place_taken_by_new: () => "a replica of the new version has its place",
  host_down_too_long: () => "its host was down for too long",
  not_shared: ({ host }) => `host ${host} is not shared any more`,
  host_drained: ({ host }) => `host ${host} is drained`,
  crowded: ({ service, from, fromCount, to, toCount }) => `${service} has ${fromCount} replicas on ${from} and ${toCount} on ${to}`,
  // Why it is on that host.
  first_there: () => "no other replica of the service there",
  fewest_there: ({ count }) => `fewest replicas of the service (${count})`,
  image_there: () => "image is there",
  volume_there: ({ volumes }) => `volume ${volumes} lives there`,
  packed: () => "packed onto as few hosts as can be",
  one_per_host: () => "one on every host",
  // What becomes of a container that a stack adopts.
  taken_over: ({ container }) => `container ${container} is taken over as it runs`,
  not_as_newest: ({ container }) => `container ${container} is replaced, as it is not like the newest one of its service`,
  not_kept: ({ container, what }) => `container ${container} is replaced, as a stack cannot keep ${what}`,
  not_running: ({ container }) => `container ${container} does not run`,
  one_off: ({ container }) => `container ${container} is of a single run`,
  // What differs between two versions of a service. Values may be secrets; an image's name is none.
  differs: ({ key }) => `${key} changed`,
  differs_image: ({ before, after }) => `image ${before} → ${after}`,
  differs_file: () => "a secret or config changed",
  differs_number: ({ before, after }) => `${before} → ${after} replicas`,
  differs_unknown: () => "its revision cannot be compared",
  differs_gone: () => "the project does not have it any more",
  // How a rollout stands.
  failed: ({ failed, total }) => `${failed} of ${total} replicas failed`,
  run: ({ settled, total }) => `${settled} of ${total} replicas run`,
  held: ({ settled, total }) => `held at ${settled} of ${total} replicas`,
  settled: ({ settled, total }) => `${settled} of ${total} replicas have settled`,
  stalled: ({ seconds, settled, total }) =>
    `nothing went on for ${duration(Number(seconds))}, with ${settled} of ${total} replicas settled`,
  waits_for_start: ({ service }) => `waits for ${service} to start`,
  waits_for_health: ({ service }) => `waits for ${service} to be healthy`,
  waits_for_end: ({ service }) => `waits for ${service} to end well`,
  waits_for_service: ({ service }) => `waits for ${service}, which is not there`,
  waits_for_approval: () => "waits for somebody to approve the canary",
  waits_for_canary: () => "waits for the canary to settle",
  // What a host says of a replica, in its words (packages/protocol/src/replica-words.ts) and beside them.
  health_fails: () => "its health check fails",
  ended: ({ exitCode }) => `it ended with exit code ${exitCode}`,
  silent: () => "its host has not heard of the control plane for longer than the service allows",
  pulling: ({ image, percent }) => `pulling ${image}: ${percent}%`,
  waits_for_network: ({ name }) => `waits for network ${name}`,
  waits_for_secret: ({ name }) => `waits for secret ${name}`,
  waits_for_config: ({ name }) => `waits for config ${name}`,
  was_restarted: ({ times }) => `it was restarted ${times} times`,
  has_failed: () => "it failed",
  exit_code: ({ exitCode }) => `exit code ${exitCode}`,
  health_said: ({ text }) => `health check said: ${text}`,
  last_lines: ({ text }) => `last lines:\n${text}`,
  is_starting: () => "a replica is starting, and its health check has not passed yet",
  is_at: ({ phase }) => `a replica is ${phase}`,
  // What a person did.
  acted_pause: ({ by }) => `pause by ${by}`,
  acted_continue: ({ by }) => `continue by ${by}`,
  acted_abort: ({ by }) => `abort by ${by}`,
  acted_approve: ({ by }) => `approve by ${by}`,
  back_from: ({ revision }) => `back from revision ${revision}`,
  secret_changed: ({ name }) => `secret ${name} changed`,
  config_changed: ({ name }) => `config ${name} changed`,
  // Why no host takes a replica.
  unplaced: ({ count, total }) => `${count} of ${total} replicas have no host`,
  no_host: () => "there is no host",
  hosts: ({ total }) => `${total} ${total === 1 ? "host" : "hosts"}`,
  this_host: ({ host }) => `host ${host}`,
  is_missing: each(() => "is not there", () => "are not there"), // prettier-ignore
  is_down: each(() => "is down", () => "are down"), // prettier-ignore
  is_drained: each(() => "is drained", () => "are drained"), // prettier-ignore
  is_cordoned: each(() => "is cordoned", () => "are cordoned"), // prettier-ignore
  lacks_label: each(({ label, value }) => `lacks label ${label}=${value}`, ({ label, value }) => `lack label ${label}=${value}`), // prettier-ignore
  has_label: has(({ label, value }) => `label ${label}=${value}`),
  is_not_host: isNot("host"),
  is_host: is("host"),
  is_not_system: isNot("of system"),
  is_system: is("of system"),
  is_not_architecture: isNot("of architecture"),
  is_architecture: is("of architecture"),
  no_volume_data: each(({ volumes }) => `does not have the data of volume ${volumes}`, ({ volumes }) => `do not have the data of volume ${volumes}`), // prettier-ignore
  is_full: has(({ most }) => `${most} ${most === 1 ? "replica" : "replicas"}, the most for one host`),
  no_cpus: has(({ cpus }) => `less than ${cpus} CPUs left to reserve`),
  no_memory: has(({ mib }) => `less than ${mib} MiB of memory left to reserve`),
  port_taken: has(({ port }) => `port ${port} in use`),
  share_no_run: each(() => "is shared without the right to run containers", () => "are shared without the right to run containers"), // prettier-ignore
  share_no_networks: each(() => "is shared by another team, where networks of this one do not reach", () => "are shared by other teams, where networks of this one do not reach"), // prettier-ignore
  share_full: has(({ most }) => `${most} ${most === 1 ? "container" : "containers"}, the most that its grant allows`),
  share_no_port: each(({ port }) => `does not lend port ${port}`, ({ port }) => `do not lend port ${port}`), // prettier-ignore
  does_not_fit: each(() => "does not fit", () => "do not fit"), // prettier-ignore
} satisfies Record<string, Sentence>;

export type ReasonCode = keyof typeof SENTENCES;
export const REASON_CODES = Object.keys(SENTENCES) as readonly ReasonCode[];

export function reason(code: ReasonCode, values: Values = {}): Reason {
  return { code, values };
}

/** In English. */
export function formatReason({ code, values, parts = [] }: Reason): string {
  const sentence: Sentence = SENTENCES[code];
  const head = sentence(values);
  if (parts.length === 0) return head;
  if (code === "this_host") return `${head} ${parts.map(formatReason).join(", ")}`;
  const counted = (part: Reason): string => (code === "hosts" ? `${part.values["count"]} ${formatReason(part)}` : formatReason(part));
  return `${head}${code === "hosts" || code === "unplaced" ? ": " : ", "}${parts.map(counted).join(", ")}`;
}

function duration(seconds: number): string {
  return seconds % 60 === 0 ? `${seconds / 60} min` : `${seconds} s`;
}
