import { createHash } from "node:crypto";
import type { Project, Service } from "@flotilla/compose";

/**
 * A digest of all that makes a container of this service what it is, the names of its networks and volumes and the contents of its
 * secrets and configs included. @param contents digests of secrets and configs by `secret/<key>` and `config/<key>`.
 */
export function configHash(service: Service, project: Project, contents: ReadonlyMap<string, string>): string {
  // What may change without a new container: how many there are, where the image comes from, in which order they start.
  const { build: _b, pullPolicy: _p, pullRefreshMs: _r, dependsOn: _d, profiles: _f, attach: _a, ...rest } = service;
  const { replicas: _n, updateConfig: _u, rollbackConfig: _k, placement: _l, labels: _e, ...deploy } = service.deploy;
  const names = {
    networks: Object.keys(service.networks).map((key) => project.networks[key]?.name),
    volumes: service.volumes.flatMap((mount) =>
      mount.type === "volume" && mount.source !== undefined ? [project.volumes[mount.source]?.name] : [],
    ),
    files: [
      ...service.secrets.map(({ source }) => contents.get(`secret/${source}`)),
      ...service.configs.map(({ source }) => contents.get(`config/${source}`)),
    ],
  };
  return createHash("sha256")
    .update(stableJson({ ...rest, deploy, names }))
    .digest("hex");
}

/** JSON with the keys of every object in order: the same project always gives the same text. */
function stableJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => {
    if (typeof item !== "object" || item === null || Array.isArray(item)) return item;
    return Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
  });
}
