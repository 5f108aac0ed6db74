import { containerHref, containerName } from "./container-row.ts";

type Volume = { Name: string; host: { id: string; name: string } };
type Mounting = {
  Id: string;
  Names: readonly string[];
  host: { id: string; name: string };
  Mounts: readonly { Type?: string | undefined; Name?: string | undefined }[];
};

export type VolumeUser = { name: string; href: string };

/** Unique over all hosts. */
export function volumeKey(volume: Volume): string {
  return `${volume.host.id}/${volume.Name}`;
}

export function volumeHref(volume: Volume): string {
  return `/volumes/${encodeURIComponent(volume.host.name)}/${encodeURIComponent(volume.Name)}`;
}

/** Volumes made for a container without a name are called by 64 hexadecimal digits. */
export function isAnonymous(name: string): boolean {
  return /^[0-9a-f]{64}$/.test(name);
}

/** Which containers mount each volume, by {@link volumeKey}. */
export function usersByVolume(containers: readonly Mounting[]): Map<string, VolumeUser[]> {
  const users = new Map<string, VolumeUser[]>();
  for (const container of containers) {
    for (const mount of container.Mounts) {
      if (mount.Type !== "volume" || mount.Name === undefined || mount.Name === "") continue;
      const key = volumeKey({ Name: mount.Name, host: container.host });
      users.set(key, [...(users.get(key) ?? []), { name: containerName(container), href: containerHref(container) }]);
    }
  }
  return users;
}
