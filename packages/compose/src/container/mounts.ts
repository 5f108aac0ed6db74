import type { Mount, Project } from "../model.ts";
import { optional } from "./optional.ts";
import type { ContainerScene } from "./scene.ts";

export type Mounts = { Binds: string[]; Mounts: Record<string, unknown>[]; Tmpfs: Record<string, string> };

/** Binds, volumes and file systems in memory of HostConfig. Anonymous volumes are not there: they are keys of `Volumes`. Pure. */
export function mountsOf({ service, project, makesVolumes }: ContainerScene): Mounts {
  const result: Mounts = { Binds: [], Mounts: [], Tmpfs: { ...service.tmpfs } };
  for (const mount of service.volumes) {
    if (mount.type === "tmpfs") result.Mounts.push(tmpfsMount(mount));
    else if (mount.type === "bind") addBind(result, mount);
    else if (mount.source !== undefined) addVolume(result, { mount, source: mount.source, project, makesVolumes });
  }
  return result;
}

type Bind = Extract<Mount, { type: "bind" }>;
type NamedVolume = Extract<Mount, { type: "volume" }>;

function tmpfsMount({ target, isReadOnly, sizeBytes, mode }: Extract<Mount, { type: "tmpfs" }>): Record<string, unknown> {
  return {
    Type: "tmpfs",
    Target: target,
    ReadOnly: isReadOnly,
    TmpfsOptions: { ...optional("SizeBytes", sizeBytes), ...optional("Mode", mode) },
  };
}

/** A bind string makes the directory that is missing, a mount refuses it; a colon cannot stand in a string. */
function addBind(result: Mounts, mount: Bind): void {
  const { source, target, isReadOnly, propagation, selinux, createHostPath } = mount;
  const options = [
    ...(isReadOnly ? ["ro"] : []),
    ...(propagation === undefined ? [] : [propagation]),
    ...(selinux === undefined ? [] : [selinux]),
  ];
  if (createHostPath && !source.includes(":")) result.Binds.push(bindText([source, target], options));
  else
    result.Mounts.push({
      Type: "bind",
      Source: source,
      Target: target,
      ReadOnly: isReadOnly,
      BindOptions: optional("Propagation", propagation),
    });
}

type Volume = { mount: NamedVolume; source: string; project: Project; makesVolumes: boolean };

function addVolume(result: Mounts, { mount, source, project, makesVolumes }: Volume): void {
  const { target, isReadOnly, noCopy, subpath } = mount;
  const volume = project.volumes[source];
  const name = volume?.name ?? source;
  const options = [...(isReadOnly ? ["ro"] : []), ...(noCopy ? ["nocopy"] : [])];
  if (!makesVolumes && subpath === undefined) {
    result.Binds.push(bindText([name, target], options));
    return;
  }
  const labels = { ...volume?.labels, "com.docker.compose.project": project.name, "com.docker.compose.volume": source };
  const driver = volume?.driver === undefined ? {} : { DriverConfig: { Name: volume.driver, Options: volume.driverOpts } };
  result.Mounts.push({
    Type: "volume",
    Source: name,
    Target: target,
    ReadOnly: isReadOnly,
    VolumeOptions: { NoCopy: noCopy, ...optional("Subpath", subpath), ...(makesVolumes ? { Labels: labels, ...driver } : {}) },
  });
}

const bindText = (paths: readonly string[], options: readonly string[]): string =>
  [...paths, ...(options.length === 0 ? [] : [options.join(",")])].join(":");
