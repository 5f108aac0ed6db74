import { FlotillaError } from "@flotilla/core";
import { type DockerSeccompProfile, parseSeccompProfile } from "./seccomp.ts";

export type SecurityOptions = {
  isNoNewPrivileges: boolean;
  seccomp: DockerSeccompProfile | "default" | "unconfined";
};

/**
 * Reads `HostConfig.SecurityOpt`. The docker command sends the profile's text, not its path. AppArmor and SELinux labels
 * are taken and have no effect beyond `unconfined` and `disable`: the engine labels nothing.
 * @throws invalid `invalid --security-opt 2: "x"`, or for a profile that cannot be read.
 */
export function parseSecurityOptions(options: readonly string[]): SecurityOptions {
  const result: SecurityOptions = { isNoNewPrivileges: false, seccomp: "default" };
  for (const option of options) {
    const separator = option.includes("=") ? "=" : ":";
    const at = option.indexOf(separator);
    const key = at < 0 ? option : option.slice(0, at);
    const value = at < 0 ? undefined : option.slice(at + 1);
    if (key === "no-new-privileges") result.isNoNewPrivileges = value === undefined || parseBoolean(value);
    else if (key === "seccomp" && value !== undefined) result.seccomp = parseSeccomp(value);
    else if ((key === "apparmor" && value === "unconfined") || (key === "label" && value === "disable")) continue;
    else if ((key === "apparmor" || key === "label" || key === "systempaths") && value !== undefined) refuseUnsupported(key, value);
    else throw new FlotillaError("invalid", `invalid --security-opt 2: ${JSON.stringify(option)}`);
  }
  return result;
}

function parseSeccomp(value: string): SecurityOptions["seccomp"] {
  if (value === "unconfined") return "unconfined";
  if (value === "builtin" || value === "default") return "default";
  return parseSeccompProfile(value);
}

function parseBoolean(value: string): boolean {
  if (["1", "t", "T", "true", "TRUE", "True"].includes(value)) return true;
  if (["0", "f", "F", "false", "FALSE", "False"].includes(value)) return false;
  throw new FlotillaError("invalid", `invalid --security-opt 2: ${JSON.stringify(`no-new-privileges=${value}`)}`);
}

function refuseUnsupported(key: string, value: string): void {
  // Taking a profile and not applying it would be a promise of confinement that nobody keeps.
  if (key === "systempaths" && value === "unconfined") return;
  throw new FlotillaError("invalid", `invalid security option "${key}=${value}": this engine applies no ${key} profiles`);
}
