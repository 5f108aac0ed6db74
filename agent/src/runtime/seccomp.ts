import { FlotillaError } from "@flotilla/core";
import { z } from "zod";
import { type OciSeccomp, SeccompSyscall } from "./oci-spec.ts";

const Filter = z.object({
  caps: z.array(z.string()).nullish(),
  arches: z.array(z.string()).nullish(),
  minKernel: z.string().nullish(),
});

/** A seccomp profile as Docker and containers-common write it: OCI's, with conditions on capabilities, architecture and kernel. */
const DockerSeccompProfile = z.object({
  defaultAction: z.string(),
  defaultErrnoRet: z.int().nullish(),
  architectures: z.array(z.string()).nullish(),
  archMap: z.array(z.object({ architecture: z.string(), subArchitectures: z.array(z.string()).nullish() })).nullish(),
  flags: z.array(z.string()).nullish(),
  syscalls: z
    .array(
      z.object({
        name: z.string().nullish(),
        names: z.array(z.string()).nullish(),
        action: z.string(),
        errnoRet: z.int().nullish(),
        args: SeccompSyscall.shape.args.nullish(),
        includes: Filter.nullish(),
        excludes: Filter.nullish(),
      }),
    )
    .nullish(),
});
export type DockerSeccompProfile = z.output<typeof DockerSeccompProfile>;

export type SeccompFacts = {
  capabilities: readonly string[];
  /** Node's name: x64, arm64. */
  architecture: string;
  /** As `uname -r` prints it. */
  kernelRelease: string;
};

/** @throws invalid when the text is no profile. */
export function parseSeccompProfile(text: string): DockerSeccompProfile {
  try {
    return DockerSeccompProfile.parse(JSON.parse(text));
  } catch (error) {
    throw new FlotillaError("invalid", `Decoding seccomp profile failed: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}

/** The OCI form of a profile for one container: every condition decided. */
export function resolveSeccomp(profile: DockerSeccompProfile, facts: SeccompFacts): OciSeccomp {
  const arch = GO_ARCHITECTURES[facts.architecture] ?? { go: facts.architecture, scmp: "" };
  const family = profile.archMap?.find((entry) => entry.architecture === arch.scmp);
  const architectures = family === undefined ? (profile.architectures ?? []) : [family.architecture, ...(family.subArchitectures ?? [])];
  const syscalls = (profile.syscalls ?? [])
    .filter((rule) => isIncluded(rule.includes, facts, arch.go) && !isExcluded(rule.excludes, facts, arch.go))
    .map((rule) => ({
      names: rule.names ?? (rule.name == null ? [] : [rule.name]),
      action: rule.action,
      ...(rule.errnoRet == null ? {} : { errnoRet: rule.errnoRet }),
      ...(rule.args == null || rule.args.length === 0 ? {} : { args: rule.args }),
    }))
    .filter((rule) => rule.names.length > 0);
  return {
    defaultAction: profile.defaultAction,
    ...(profile.defaultErrnoRet == null ? {} : { defaultErrnoRet: profile.defaultErrnoRet }),
    ...(architectures.length === 0 ? {} : { architectures }),
    ...(profile.flags == null || profile.flags.length === 0 ? {} : { flags: profile.flags }),
    syscalls,
  };
}

const GO_ARCHITECTURES: Readonly<Record<string, { go: string; scmp: string }>> = {
  x64: { go: "amd64", scmp: "SCMP_ARCH_X86_64" },
  arm64: { go: "arm64", scmp: "SCMP_ARCH_AARCH64" },
};

type Condition = z.output<typeof Filter> | null | undefined;

/** A rule applies when the architecture is listed, every listed capability is there and the kernel is new enough. */
function isIncluded(condition: Condition, facts: SeccompFacts, goArch: string): boolean {
  if (condition == null) return true;
  if (condition.arches != null && condition.arches.length > 0 && !condition.arches.includes(goArch)) return false;
  if (condition.caps != null && !condition.caps.every((capability) => facts.capabilities.includes(capability))) return false;
  return condition.minKernel == null || condition.minKernel === "" || isKernelAtLeast(facts.kernelRelease, condition.minKernel);
}

/** A rule is left out when any part of its exclusion holds. */
function isExcluded(condition: Condition, facts: SeccompFacts, goArch: string): boolean {
  if (condition == null) return false;
  if (condition.arches?.includes(goArch) === true) return true;
  if (condition.caps?.some((capability) => facts.capabilities.includes(capability)) === true) return true;
  return condition.minKernel != null && condition.minKernel !== "" && isKernelAtLeast(facts.kernelRelease, condition.minKernel);
}

function isKernelAtLeast(release: string, minimum: string): boolean {
  const [major = 0, minor = 0] = release.split(/[.-]/).map(Number);
  const [wantMajor = 0, wantMinor = 0] = minimum.split(".").map(Number);
  return major > wantMajor || (major === wantMajor && minor >= wantMinor);
}
