import { randomBytes } from "node:crypto";
import { FlotillaError } from "@flotilla/core";

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;
/** A name is a directory's name: NAME_MAX of Linux file systems. */
const MAX_NAME_BYTES = 255;

/** Docker marks volumes that nobody named by this label, with an empty value. */
export const ANONYMOUS_LABEL = "com.docker.volume.anonymous";

/** 64 hex digits, as Docker names anonymous volumes. */
export const newAnonymousName = (): string => randomBytes(32).toString("hex");

/** @throws FlotillaError `invalid` with Docker's words. */
export function checkVolumeName(name: string): string {
  if (name.length < 2)
    throw new FlotillaError("invalid", `create ${name}: volume name is too short, names should be at least two alphanumeric characters`);
  if (name.length > MAX_NAME_BYTES)
    throw new FlotillaError("invalid", `create ${name.slice(0, 64)}…: volume name is too long: at most ${MAX_NAME_BYTES} characters`);
  if (NAME.test(name)) return name;
  throw new FlotillaError(
    "invalid",
    `create ${name}: ${JSON.stringify(name)} includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`,
  );
}
