import { ContainerCreateBody } from "@flotilla/engine-api";
import { REPLICA_LABEL, REVISION_LABEL, type ReplicaFile, type ReplicaState } from "@flotilla/protocol";

/** How the host knows a replica's container, and of which version it is. */
export function replicaLabels({ id, revision }: Pick<ReplicaState, "id" | "revision">): Record<string, string> {
  return { [REPLICA_LABEL]: id, [REVISION_LABEL]: revision };
}

/**
 * The body of `POST /containers/create` of a replica. Pure. Its restarts are this host's own, so the engine has no policy of restart.
 * @param pathOf where a file is on the host.
 * @throws ZodError for a body that the engine does not know.
 */
export function toContainerBody(wanted: ReplicaState, pathOf: (file: ReplicaFile) => string): ContainerCreateBody {
  const given = ContainerCreateBody.parse(wanted.body);
  const [first] = wanted.networks;
  const endpoints = wanted.networks.map(({ name, aliases }) => [name, { Aliases: aliases }] as const);
  // As `--mount`, which never makes a directory where a file is not there.
  const files = wanted.files.map((file) => ({ Type: "bind", Source: pathOf(file), Target: file.target, ReadOnly: true }));
  return ContainerCreateBody.parse({
    ...given,
    Image: wanted.image,
    Labels: { ...given.Labels, ...replicaLabels(wanted) },
    HostConfig: {
      ...given.HostConfig,
      Mounts: [...(given.HostConfig?.Mounts ?? []), ...files],
      RestartPolicy: { Name: "no", MaximumRetryCount: 0 },
      AutoRemove: false,
      ...(first === undefined ? {} : { NetworkMode: first.name }),
    },
    NetworkingConfig: { EndpointsConfig: Object.fromEntries(endpoints) },
  });
}
