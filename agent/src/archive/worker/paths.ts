import { FlotillaError } from "@flotilla/core";
import { toDisplay } from "../tar/block.ts";

/**
 * Cleans the name of an archive entry: relative to the root of extraction, without empty, `.` and `..` parts; "" is the
 * root itself. The chroot already keeps every path inside; this refuses what tries, so that a broken or hostile archive
 * is an error instead of a surprise.
 * @throws FlotillaError `invalid` for a name that climbs out of the root or holds a NUL.
 */
export function cleanEntryName(name: string): string {
  if (name.includes("\0")) throw new FlotillaError("invalid", "archive entry with a NUL in its name");
  const parts: string[] = [];
  for (const part of name.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.pop() === undefined)
      throw new FlotillaError("invalid", `archive entry "${toDisplay(name)}" is outside of the root of extraction`);
  }
  return parts.join("/");
}

/** "" for what lies directly in the root. */
export function parentOf(name: string): string {
  const slash = name.lastIndexOf("/");
  return slash === -1 ? "" : name.slice(0, slash);
}

export function baseOf(name: string): string {
  return name.slice(name.lastIndexOf("/") + 1);
}
