import {
  keptResource,
  kindOf,
  REPLICA_KIND,
  type ReplicaState,
  replicaState,
  type Resource,
  type ResourceFailure,
  STACK_FILE_KIND,
  stackFile,
} from "@flotilla/protocol";

export type Known = { wanted: ReadonlyMap<string, ReplicaState>; files: ReadonlyMap<string, Buffer> };
export type ReadReplicas = Known & {
  /** Ids of replicas that are wanted, and of which nothing more is known: their containers are left as they are. */
  unread: ReadonlySet<string>;
  failures: ResourceFailure[];
};

/**
 * The replicas and files of a document. Of what the control plane cannot read, or this agent does not know, what was known before stays. Pure.
 */
export function readReplicas(resources: readonly Resource[], before: Known): ReadReplicas {
  const wanted = new Map<string, ReplicaState>();
  const files = new Map<string, Buffer>();
  const unread = new Set<string>();
  const failures: ResourceFailure[] = [];
  for (const { key, body } of resources) {
    const id = key.slice(key.indexOf("/") + 1);
    const isFile = kindOf(key) === STACK_FILE_KIND;
    const file = isFile ? stackFile.safeParse(body) : undefined;
    const replica = isFile ? undefined : replicaState.safeParse(body);
    if (file?.success === true) files.set(id, Buffer.from(file.data.base64, "base64"));
    else if (replica?.success === true && key === `${REPLICA_KIND}/${replica.data.id}`) wanted.set(id, replica.data);
    else {
      failures.push({
        key,
        message: keptResource.safeParse(body).data?.kept ?? `${key} is not of a form that this agent knows: upgrade it`,
      });
      const [knownFile, known] = [before.files.get(id), before.wanted.get(id)];
      if (isFile && knownFile !== undefined) files.set(id, knownFile);
      else if (!isFile && known !== undefined) wanted.set(id, known);
      else if (!isFile) unread.add(id);
    }
  }
  return { wanted, files, unread, failures };
}
