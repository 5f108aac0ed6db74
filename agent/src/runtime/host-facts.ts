import { existsSync, readFileSync } from "node:fs";
import { release } from "node:os";
import { type Logger, toFlotillaError } from "@flotilla/core";
import type { CgroupLayout } from "../host/cgroup.ts";
import { capabilitiesOfMask } from "./capabilities.ts";
import { type DockerSeccompProfile, parseSeccompProfile } from "./seccomp.ts";
import type { HostFacts } from "./spec-input.ts";

const SECCOMP_PROFILES: readonly string[] = ["/etc/containers/seccomp.json", "/usr/share/containers/seccomp.json"];

/** Reads what the machine and the agent's own process allow; once, at start. */
export function readHostFacts(layout: CgroupLayout, logger: Logger): HostFacts {
  const status = readFileSync("/proc/self/status", "utf8");
  return {
    architecture: process.arch,
    kernelRelease: release(),
    cgroupMode: layout.mode,
    capabilities: capabilitiesOfMask(/^CapBnd:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? ""),
    hardLimits: parseHardLimits(readFileSync("/proc/self/limits", "utf8")),
    hasMessageQueues: existsSync("/dev/mqueue"),
    seccompProfile: /^Seccomp:/m.test(status) ? readSeccompProfile(logger) : undefined,
  };
}

function readSeccompProfile(logger: Logger): DockerSeccompProfile | undefined {
  for (const path of SECCOMP_PROFILES) {
    try {
      return parseSeccompProfile(readFileSync(path, "utf8"));
    } catch (error) {
      logger.debug("seccomp profile not used", { path, error: toFlotillaError(error).message });
    }
  }
  logger.warn("no default seccomp profile: containers run without one (install the Debian package golang-github-containers-common)", {
    paths: SECCOMP_PROFILES,
  });
  return undefined;
}

const LIMIT_NAMES: Readonly<Record<string, string>> = {
  "Max cpu time": "cpu",
  "Max file size": "fsize",
  "Max data size": "data",
  "Max stack size": "stack",
  "Max core file size": "core",
  "Max resident set": "rss",
  "Max processes": "nproc",
  "Max open files": "nofile",
  "Max locked memory": "memlock",
  "Max address space": "as",
  "Max file locks": "locks",
  "Max pending signals": "sigpending",
  "Max msgqueue size": "msgqueue",
  "Max nice priority": "nice",
  "Max realtime priority": "rtprio",
  "Max realtime timeout": "rttime",
};

/** Hard limits of /proc/PID/limits by Docker's names; -1 is unlimited. */
export function parseHardLimits(text: string): Record<string, number> {
  const limits: Record<string, number> = {};
  for (const line of text.split("\n")) {
    const match = /^(Max [a-z ]+?)\s{2,}(\S+)\s+(\S+)/.exec(line);
    const name = LIMIT_NAMES[match?.[1] ?? ""];
    const hard = match?.[3];
    if (name !== undefined && hard !== undefined) limits[name] = hard === "unlimited" ? -1 : Number(hard);
  }
  return limits;
}
