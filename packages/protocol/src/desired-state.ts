import { createHash } from "node:crypto";
import { z } from "zod";

// The declarative channel. A host's desired state is a set of keyed resources; the whole of it has a generation, which only
// rises. What the host observes goes up in the same keyed form. Both ways are level-triggered: after each reconnect the ends
// compare what they have, so nothing depends on a message having arrived. One full-duplex HTTP/2 stream inside the tunnel,
// one JSON document a line each way:
//
//   agent   have              generation and hash of what is stored on the host (null: nothing)
//   control snapshot          everything, or
//           delta             what changed since `from`; the agent checks the hash of the result
//   agent   need_snapshot     `from` is not what it has
//           refused           a generation that is not newer (a replay): says what it has instead
//           applied           stored and tried; what failed, by key. Told again when a later try changes that
//   agent   observed_snapshot, observed_delta      one under way at a time, each answered by
//   control observed_ack, or observed_need_snapshot when one is missing

/** Path, inside the tunnel, of the stream of state. The control plane opens it with POST. */
export const STATE_PATH = "/flotilla/v1/link/state";
export const STATE_CONTENT_TYPE = "application/x-ndjson";

/** Longest line either end reads: a snapshot of the largest document. */
export const MAX_STATE_LINE_BYTES = 8 * 1024 * 1024;
/** A document may have so many resources, and so many bytes of JSON in its bodies: a quarter of the line is left for the rest. */
export const MAX_RESOURCES = 20_000;
export const MAX_DOCUMENT_BYTES = 6 * 1024 * 1024;
const MAX_FAILURES = 200;
const MAX_FAILURE_LENGTH = 500;

/** `<kind>` or `<kind>/<id>`; the kind says who composes it and who applies it, such as `network` or `registry-credentials`. */
export const resourceKey = z
  .string()
  .max(200)
  .regex(/^[a-z][a-z0-9-]*(?:\/[A-Za-z0-9][A-Za-z0-9._:-]*)*$/, "must be a kind, or a kind and an id");

const hash = z.string().regex(/^[0-9a-f]{64}$/);
/** Rises with each change of a host's document. A host that claims one near the end only harms itself. */
const generation = z
  .int()
  .min(1)
  .max(2 ** 52);

/** The kind of a resource: its key up to the first slash. */
export function kindOf(key: string): string {
  const end = key.indexOf("/");
  return end === -1 ? key : key.slice(0, end);
}

export const resource = z.object({ key: resourceKey, revision: hash, body: z.record(z.string(), z.json()) });
/** One thing that a host shall have, or has. `revision` is the hash of the body, see {@link makeResource}. */
export type Resource = z.output<typeof resource>;
export type ResourceBody = Resource["body"];

export const resourceFailure = z.object({ key: resourceKey, message: z.string().max(MAX_FAILURE_LENGTH) });
export type ResourceFailure = z.output<typeof resourceFailure>;

const resources = z.array(resource).max(MAX_RESOURCES);
const keys = z.array(resourceKey).max(MAX_RESOURCES);

const version = z.object({ generation, hash });
/** Which document an end has; null is none. */
export type StateVersion = z.output<typeof version>;

export const snapshotMessage = z.object({ type: z.literal("snapshot"), generation, hash, resources });
export type SnapshotMessage = z.output<typeof snapshotMessage>;
export const deltaMessage = z.object({ type: z.literal("delta"), from: generation, to: generation, hash, set: resources, remove: keys });
export type DeltaMessage = z.output<typeof deltaMessage>;

const sequence = z.int().min(1);
export const observedSnapshot = z.object({ type: z.literal("observed_snapshot"), sequence, resources });
export const observedDelta = z.object({ type: z.literal("observed_delta"), sequence, set: resources, remove: keys });
export type ObservedMessage = z.output<typeof observedSnapshot> | z.output<typeof observedDelta>;

/** What the control plane says. */
export const controlStateMessage = z.discriminatedUnion("type", [
  snapshotMessage,
  deltaMessage,
  z.object({ type: z.literal("observed_ack"), sequence }),
  z.object({ type: z.literal("observed_need_snapshot") }),
]);
export type ControlStateMessage = z.output<typeof controlStateMessage>;

/** What the agent says. */
export const agentStateMessage = z.discriminatedUnion("type", [
  z.object({ type: z.literal("have"), version: version.nullable() }),
  z.object({ type: z.literal("need_snapshot") }),
  z.object({ type: z.literal("refused"), version: version.nullable(), message: z.string().max(MAX_FAILURE_LENGTH) }),
  z.object({ type: z.literal("applied"), version, failures: z.array(resourceFailure).max(MAX_FAILURES) }),
  observedSnapshot,
  observedDelta,
]);
export type AgentStateMessage = z.output<typeof agentStateMessage>;

/** A resource with the revision of its body. The body must be JSON: nothing in it is undefined. */
export function makeResource(key: string, body: ResourceBody): Resource {
  return { key, revision: sha256(canonical(body)), body };
}

/** Whether a resource's revision is that of its body. */
export function isIntact(item: Resource): boolean {
  return makeResource(item.key, item.body).revision === item.revision;
}

/** Documents' hashes are sums, so that a change of one resource of many costs what that one costs. */
const HASH_MODULUS = 1n << 256n;

/** The hash of a document: the sum of those of its keys with their revisions, in any order. */
export function hashDocument(items: Iterable<Pick<Resource, "key" | "revision">>): string {
  return formatSum(sumOf(items));
}

/** The hash of a document that lost `gone` and got `come`. */
export function rehashDocument(before: string, change: Record<"gone" | "come", Iterable<Pick<Resource, "key" | "revision">>>): string {
  return formatSum(BigInt(`0x${before}`) - sumOf(change.gone) + sumOf(change.come));
}

function sumOf(items: Iterable<Pick<Resource, "key" | "revision">>): bigint {
  let sum = 0n;
  for (const { key, revision } of items) sum += BigInt(`0x${sha256(`${key} ${revision}`)}`);
  return sum;
}

const formatSum = (sum: bigint): string => (((sum % HASH_MODULUS) + HASH_MODULUS) % HASH_MODULUS).toString(16).padStart(64, "0");

export type ResourceDiff = { set: readonly Resource[]; remove: readonly string[] };

/** What turns one document into another. @param before revisions by key. */
export function diffResources(before: ReadonlyMap<string, string>, after: Iterable<Resource>): ResourceDiff {
  const gone = new Set(before.keys());
  const set: Resource[] = [];
  for (const item of after) {
    gone.delete(item.key);
    if (before.get(item.key) !== item.revision) set.push(item);
  }
  return { set, remove: [...gone] };
}

/** Why a document is more than the channel carries; undefined when it is not. */
export function documentExcess(items: readonly Resource[]): string | undefined {
  if (items.length > MAX_RESOURCES) return `${items.length} resources are more than ${MAX_RESOURCES}`;
  const bytes = items.reduce((sum, item) => sum + Buffer.byteLength(JSON.stringify(item)), 0);
  return bytes > MAX_DOCUMENT_BYTES ? `${bytes} bytes are more than ${MAX_DOCUMENT_BYTES}` : undefined;
}

/** Failures as they may be sent: so many, each of bounded length. */
export function boundFailures(failures: readonly ResourceFailure[]): ResourceFailure[] {
  return failures.slice(0, MAX_FAILURES).map(({ key, message }) => ({ key, message: message.slice(0, MAX_FAILURE_LENGTH) }));
}

/** JSON with the names of each object in order, so that equal values are equal texts. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_name, item: unknown) => {
    if (typeof item !== "object" || item === null || Array.isArray(item)) return item;
    return Object.fromEntries(Object.entries(item).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  });
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
