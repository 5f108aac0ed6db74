// What `-v`, `--mount`, `--tmpfs`, `--volumes-from` and the image's VOLUMEs ask for, decided into one list. Pure.
import { FlotillaError } from "@flotilla/core";
import type { ContainerConfig, HostConfig, MountRequest } from "@flotilla/engine-api";
import { TMPFS_DEFAULTS } from "../runtime/spec-mounts.ts";
import type { RecordedMount } from "./record.ts";

/** A mount before its volume exists: `name` is "" where an anonymous volume is to be made. */
export type PlannedMount = RecordedMount & {
  /** `-v` makes a missing bind source, `--mount` refuses. */
  createsSource: boolean;
  volume: { driver: string; driverOpts: Record<string, string>; labels: Record<string, string> } | undefined;
};

const BASE: PlannedMount = {
  type: "bind",
  name: "",
  source: "",
  destination: "",
  isReadOnly: false,
  mode: "",
  propagation: "rprivate",
  isRecursive: true,
  isReadOnlyRecursive: true,
  copiesUp: false,
  subpath: "",
  options: [],
  isMountRequest: false,
  isAnonymous: false,
  isOwn: false,
  createsSource: false,
  volume: undefined,
};

const VOLUME_NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;
const PROPAGATIONS: readonly string[] = ["private", "rprivate", "shared", "rshared", "slave", "rslave"];

const refuse = (message: string): never => {
  throw new FlotillaError("invalid", message);
};

/**
 * All mounts of a container by destination: explicit ones win over `--volumes-from`, those over the image's VOLUMEs.
 * @param inherited mounts of the containers named by `--volumes-from`, already with their access mode.
 * @throws invalid in Docker's words for paths, modes and duplicates.
 */
export function planMountRequests(config: ContainerConfig, hostConfig: HostConfig, inherited: readonly RecordedMount[]): PlannedMount[] {
  const explicit = [
    ...(hostConfig.Binds ?? []).map((bind) => parseBind(bind, hostConfig.VolumeDriver)),
    ...(hostConfig.Mounts ?? []).map(parseMount),
    ...Object.entries(hostConfig.Tmpfs ?? {}).map(([path, options]) => parseTmpfs(path, options)),
  ];
  const planned = new Map<string, PlannedMount>();
  for (const mount of inherited) planned.set(mount.destination, { ...mount, createsSource: false, volume: undefined });
  const seen = new Set<string>();
  for (const mount of explicit) {
    if (seen.has(mount.destination)) refuse(`Duplicate mount point: ${mount.destination}`);
    seen.add(mount.destination);
    planned.set(mount.destination, mount);
  }
  for (const path of Object.keys(config.Volumes ?? {})) {
    const destination = cleanDestination(path, path);
    if (!planned.has(destination)) planned.set(destination, anonymousVolume(destination, hostConfig.VolumeDriver));
  }
  return [...planned.values()];
}

function anonymousVolume(destination: string, driver: string): PlannedMount {
  return {
    ...BASE,
    type: "volume",
    destination,
    propagation: "",
    copiesUp: true,
    isAnonymous: true,
    volume: { driver, driverOpts: {}, labels: {} },
  };
}

/** `src:dst[:options]`, `name:dst[:options]` or `dst`. */
export function parseBind(spec: string, volumeDriver: string): PlannedMount {
  const parts = spec.split(":");
  if (parts.length > 3 || parts[0] === "" || parts[1] === "") refuse(`invalid volume specification: '${spec}'`);
  const [first = "", second, modeText = ""] = parts;
  if (second === undefined) return anonymousVolume(cleanDestination(first, spec), volumeDriver);
  const destination = cleanDestination(second, spec);
  const mode = parseMode(modeText, spec);
  const common = { destination, mode: modeText, isReadOnly: mode.isReadOnly };
  if (first.startsWith("/")) {
    return { ...BASE, ...common, type: "bind", source: cleanPath(first), propagation: mode.propagation ?? "rprivate", createsSource: true };
  }
  if (!VOLUME_NAME.test(first)) {
    refuse(
      `create ${first}: "${first}" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`,
    );
  }
  if (mode.propagation !== undefined) refuse(`invalid volume specification: '${spec}'`);
  const volume = { driver: volumeDriver, driverOpts: {}, labels: {} };
  return {
    ...BASE,
    ...common,
    mode: modeText === "" ? "z" : modeText,
    type: "volume",
    name: first,
    propagation: "",
    copiesUp: mode.copiesUp,
    volume,
  };
}

function parseMode(text: string, spec: string): { isReadOnly: boolean; propagation: string | undefined; copiesUp: boolean } {
  const result = { isReadOnly: false, propagation: undefined as string | undefined, copiesUp: true };
  for (const word of text === "" ? [] : text.split(",")) {
    if (word === "ro" || word === "rw") result.isReadOnly = word === "ro";
    else if (word === "nocopy") result.copiesUp = false;
    else if (PROPAGATIONS.includes(word)) result.propagation = word;
    else if (!["z", "Z", "cached", "consistent", "delegated", "default"].includes(word)) refuse(`invalid mode: ${text}`);
  }
  if (spec.split(":").length === 3 && text === "") refuse(`invalid volume specification: '${spec}'`);
  return result;
}

function parseMount(request: MountRequest): PlannedMount {
  const bad = (why: string): never => refuse(`invalid mount config for type "${request.Type}": ${why}`);
  if (request.Target === "") bad("field Target must not be empty");
  if (!request.Target.startsWith("/")) bad(`invalid mount path: '${request.Target}' mount path must be absolute`);
  const destination = cleanDestination(request.Target, request.Target);
  const common = { ...BASE, destination, isReadOnly: request.ReadOnly, isMountRequest: true };
  switch (request.Type) {
    case "bind":
      return { ...common, ...parseBindOptions(request, bad) };
    case "volume":
      return { ...common, ...parseVolumeOptions(request, bad) };
    case "tmpfs":
      if (request.Source !== "") bad("field Source must not be specified");
      return { ...common, type: "tmpfs", propagation: "", options: tmpfsMountOptions(request) };
    default:
      return refuse(`invalid mount config for type "${request.Type}": mount type unknown: "${request.Type}"`);
  }
}

type Refuse = (why: string) => never;

function parseBindOptions(request: MountRequest, bad: Refuse): Partial<PlannedMount> {
  if (request.Source === "") bad("field Source must not be empty");
  if (!request.Source.startsWith("/")) bad(`invalid mount path: '${request.Source}' mount path must be absolute`);
  if (request.VolumeOptions !== undefined) bad("field VolumeOptions must not be specified");
  const options = request.BindOptions;
  const propagation = options?.Propagation === undefined || options.Propagation === "" ? "rprivate" : options.Propagation;
  if (!PROPAGATIONS.includes(propagation)) bad(`invalid propagation mode: ${propagation}`);
  return {
    type: "bind",
    source: cleanPath(request.Source),
    propagation,
    isRecursive: options?.NonRecursive !== true,
    isReadOnlyRecursive: options?.ReadOnlyNonRecursive !== true,
    createsSource: options?.CreateMountpoint === true,
  };
}

function parseVolumeOptions(request: MountRequest, bad: Refuse): Partial<PlannedMount> {
  if (request.BindOptions !== undefined) bad("field BindOptions must not be specified");
  if (request.Source !== "" && !VOLUME_NAME.test(request.Source)) bad(`invalid volume name: '${request.Source}'`);
  const options = request.VolumeOptions;
  const subpath = options?.Subpath ?? "";
  if (subpath.startsWith("/") || subpath.split("/").includes("..")) bad(`subpath must be a relative path within the volume`);
  if (request.Source === "" && subpath !== "") bad("must not set Subpath when using anonymous volumes");
  return {
    type: "volume",
    name: request.Source,
    mode: "z",
    propagation: "",
    copiesUp: options?.NoCopy !== true && subpath === "",
    subpath,
    isAnonymous: request.Source === "",
    volume: { driver: options?.DriverConfig?.Name ?? "", driverOpts: options?.DriverConfig?.Options ?? {}, labels: options?.Labels ?? {} },
  };
}

function tmpfsMountOptions(request: MountRequest): string[] {
  const { SizeBytes: size, Mode: mode, Options: extra } = request.TmpfsOptions ?? {};
  return [
    ...TMPFS_DEFAULTS,
    ...(extra ?? []).map((pair) => pair.join("=")),
    ...(request.ReadOnly ? ["ro"] : []),
    ...(size === undefined || size === 0 ? [] : [`size=${size}`]),
    ...(mode === undefined ? [] : [`mode=${mode.toString(8)}`]),
  ];
}

/** `--tmpfs path:options`: an option and its opposite (`exec`, `noexec`) replace the default. */
function parseTmpfs(path: string, text: string): PlannedMount {
  const given = text === "" ? [] : text.split(",");
  for (const option of given)
    if (!/^[a-z]+(=[A-Za-z0-9_.,:%-]+)?$/.test(option)) refuse(`invalid tmpfs option [${JSON.stringify(option)}]`);
  const defaults = TMPFS_DEFAULTS.filter((option) => !given.includes(option) && !given.includes(option.replace(/^no/, "")));
  const destination = cleanDestination(path, path);
  return { ...BASE, type: "tmpfs", destination, propagation: "", options: [...defaults, ...given] };
}

function cleanDestination(path: string, spec: string): string {
  if (!path.startsWith("/")) refuse(`invalid volume specification: '${spec}': invalid mount path: '${path}' mount path must be absolute`);
  const destination = cleanPath(path);
  if (destination === "/") refuse(`invalid volume specification: '${spec}': invalid specification: destination can't be '/'`);
  return destination;
}

function cleanPath(path: string): string {
  if (path.includes("\0")) refuse("invalid mount path: it holds a NUL byte");
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}
