import {
  type DeltaMessage,
  hashDocument,
  isIntact,
  rehashDocument,
  type Resource,
  type SnapshotMessage,
  type StateVersion,
} from "./desired-state.ts";

const EMPTY = hashDocument([]);

/** A host's desired state as it is stored there. */
export type StateDocument = StateVersion & { resources: ReadonlyMap<string, Resource> };

export type Acceptance =
  | { kind: "accept"; document: StateDocument; set: readonly Resource[]; remove: readonly string[] }
  /** Nothing new: the same document once more. */
  | { kind: "same" }
  | { kind: "need_snapshot" }
  | { kind: "refuse"; message: string };

/**
 * What an agent does with a snapshot or delta. Pure. A generation only rises: what was recorded on the wire, or comes from a
 * database that was restored from a backup, is refused, and the control plane answers with a newer one.
 */
export function acceptDesired(current: StateDocument | null, message: SnapshotMessage | DeltaMessage): Acceptance {
  const generation = message.type === "snapshot" ? message.generation : message.to;
  if (current !== null && generation === current.generation && message.hash === current.hash) return { kind: "same" };
  if (current !== null && generation <= current.generation)
    return { kind: "refuse", message: `generation ${generation} is not newer than ${current.generation}` };
  if (message.type === "delta" && current?.generation !== message.from) return { kind: "need_snapshot" };
  const resources = new Map(message.type === "delta" ? current?.resources : []);
  const gone: Resource[] = [];
  const drop = (key: string): boolean => {
    const present = resources.get(key);
    if (present !== undefined) gone.push(present);
    return resources.delete(key);
  };
  const remove = message.type === "delta" ? message.remove.filter(drop) : missingFrom(current, message.resources);
  const set = message.type === "delta" ? message.set : message.resources;
  for (const item of set) {
    const present = resources.get(item.key);
    if (present !== undefined) gone.push(present);
    resources.set(item.key, item);
  }
  if (
    rehashDocument(message.type === "delta" && current !== null ? current.hash : EMPTY, { gone, come: set }) !== message.hash ||
    !set.every(isIntact)
  ) {
    // A delta on another base than the sender's; a snapshot that does not fit its own hash is nothing that anybody meant.
    return message.type === "delta"
      ? { kind: "need_snapshot" }
      : { kind: "refuse", message: "the snapshot does not have the hash that it names" };
  }
  return { kind: "accept", document: { generation, hash: message.hash, resources }, set, remove };
}

function missingFrom(current: StateDocument | null, resources: readonly Resource[]): string[] {
  const kept = new Set(resources.map(({ key }) => key));
  return [...(current?.resources.keys() ?? [])].filter((key) => !kept.has(key));
}
