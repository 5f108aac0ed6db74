import { FlotillaError } from "@flotilla/core";
import type { OciProcess } from "./oci-spec.ts";
import type { SpecInput } from "./spec-input.ts";

export const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

type ProcessOptions = { capabilities: readonly string[]; isNoNewPrivileges: boolean };

/** The first process of a container. Warnings say which limits had to be lowered. */
export function planProcess(input: SpecInput, options: ProcessOptions): { process: OciProcess; warnings: string[] } {
  const { config, hostConfig, user } = input;
  const { rlimits, warnings } = planRlimits(input);
  const [height, width] = hostConfig.ConsoleSize;
  // Ambient and inheritable stay empty: a program without file capabilities run by a plain user gets none.
  const effective = user.uid === 0 ? [...options.capabilities] : [];
  const process: OciProcess = {
    terminal: config.Tty,
    ...(config.Tty && height > 0 && width > 0 ? { consoleSize: { height, width } } : {}),
    user: {
      uid: user.uid,
      gid: user.gid,
      ...(user.additionalGids === undefined || user.additionalGids.length === 0 ? {} : { additionalGids: user.additionalGids }),
    },
    args: [...input.args],
    env: planEnvironment({ hostname: input.hostname, home: user.home, isTty: config.Tty, env: config.Env ?? [] }),
    cwd: config.WorkingDir === "" ? "/" : config.WorkingDir,
    capabilities: { bounding: [...options.capabilities], effective, permitted: effective },
    rlimits,
    noNewPrivileges: options.isNoNewPrivileges,
    oomScoreAdj: hostConfig.OomScoreAdj,
  };
  return { process, warnings };
}

/**
 * Docker's environment: PATH, HOSTNAME and, with a terminal, TERM in front; then the configured variables, a later one
 * replacing an earlier; a name without `=` removes the variable; HOME last unless configured.
 */
export function planEnvironment(request: { hostname: string; home: string; isTty: boolean; env: readonly string[] }): string[] {
  const variables = new Map<string, string>([
    ["PATH", DEFAULT_PATH],
    ["HOSTNAME", request.hostname],
  ]);
  if (request.isTty) variables.set("TERM", "xterm");
  for (const entry of request.env) {
    const at = entry.indexOf("=");
    if (at < 0) variables.delete(entry);
    else variables.set(entry.slice(0, at), entry.slice(at + 1));
  }
  if (!variables.has("HOME")) variables.set("HOME", request.home);
  return [...variables].map(([name, value]) => `${name}=${value}`);
}

const RLIMIT_NAMES: readonly string[] = [
  "as", "core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice", "nofile", "nproc", "rss", "rtprio", "rttime",
  "sigpending", "stack",
]; // prettier-ignore

/** Stands for RLIM_INFINITY, which no double holds: formatSpec() writes the real one. */
export const UNLIMITED = Number.MAX_SAFE_INTEGER;

function planRlimits(input: SpecInput): { rlimits: NonNullable<OciProcess["rlimits"]>; warnings: string[] } {
  const warnings: string[] = [];
  const canRaise = input.facts.capabilities.has("CAP_SYS_RESOURCE");
  const rlimits = (input.hostConfig.Ulimits ?? []).map((ulimit) => {
    assertUlimit(ulimit);
    const ceiling = input.facts.hardLimits[ulimit.Name] ?? -1;
    const cap = canRaise || ceiling === -1 ? UNLIMITED : ceiling;
    const wanted = { soft: unlimited(ulimit.Soft), hard: unlimited(ulimit.Hard) };
    if (wanted.hard > cap) warnings.push(`ulimit ${ulimit.Name} was lowered to ${cap}: the engine may not raise its own hard limit`);
    return { type: `RLIMIT_${ulimit.Name.toUpperCase()}`, soft: Math.min(wanted.soft, cap), hard: Math.min(wanted.hard, cap) };
  });
  return { rlimits, warnings };
}

const unlimited = (value: number): number => (value === -1 ? UNLIMITED : value);

/** @throws invalid with the words of docker/go-units. */
export function assertUlimit(ulimit: { Name: string; Soft: number; Hard: number }): void {
  if (!RLIMIT_NAMES.includes(ulimit.Name)) throw new FlotillaError("invalid", `invalid ulimit type: ${ulimit.Name}`);
  if (ulimit.Hard !== -1 && (ulimit.Soft === -1 || ulimit.Soft > ulimit.Hard)) {
    throw new FlotillaError("invalid", `ulimit soft limit must be less than or equal to hard limit: ${ulimit.Soft} > ${ulimit.Hard}`);
  }
}
