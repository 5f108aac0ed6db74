// Options of the `local` driver (`docker volume create -o`). Pure.
import { FlotillaError } from "@flotilla/core";
import { MS } from "../host/libc.ts";

export type TmpfsMount = { flags: number; data: string };

const KNOWN_OPTIONS = ["type", "o", "device"];

const FLAGS: Readonly<Record<string, number>> = {
  rw: 0,
  defaults: 0,
  ro: MS.RDONLY,
  nosuid: MS.NOSUID,
  nodev: MS.NODEV,
  noexec: MS.NOEXEC,
};

/** What tmpfs(5) takes; everything else in `o` is refused rather than handed to the kernel. */
const TMPFS_OPTION = /^(size|nr_inodes|mode|uid|gid)=[0-9a-zA-Z%]+$/;

/**
 * How to mount a volume that has options; undefined for a plain directory.
 * @throws invalid for what the driver does not know; not_implemented for kinds other than tmpfs: a bind would be a way
 * around the checks of bind mounts, and network file systems need credentials and helpers that have no place here yet.
 */
export function parseVolumeOptions(options: Readonly<Record<string, string>>): TmpfsMount | undefined {
  const unknown = Object.keys(options).find((key) => !KNOWN_OPTIONS.includes(key));
  if (unknown !== undefined) throw new FlotillaError("invalid", `invalid option: ${JSON.stringify(unknown)}`);
  const { type, device, o = "" } = options;
  if (type === undefined && device === undefined && o === "") return undefined;
  if (type === undefined) throw new FlotillaError("invalid", `missing required option: "type"`);
  if (device === undefined) throw new FlotillaError("invalid", `missing required option: "device"`);
  if (type !== "tmpfs") {
    throw new FlotillaError(
      "not_implemented",
      `volumes of type ${type} are not implemented: use tmpfs, a plain volume, or a bind mount of the container`,
    );
  }
  const parts = o.split(",").filter((part) => part !== "");
  const data = parts.filter((part) => FLAGS[part] === undefined);
  const bad = data.find((part) => !TMPFS_OPTION.test(part));
  if (bad !== undefined) throw new FlotillaError("invalid", `invalid tmpfs option: ${JSON.stringify(bad)}`);
  return { flags: parts.reduce((flags, part) => flags | (FLAGS[part] ?? 0), 0), data: data.join(",") };
}
