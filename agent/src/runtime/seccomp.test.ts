import { describe, expect, test } from "vitest";
import { parseSeccompProfile, resolveSeccomp } from "./seccomp.ts";

const profile = parseSeccompProfile(
  JSON.stringify({
    defaultAction: "SCMP_ACT_ERRNO",
    defaultErrnoRet: 38,
    archMap: [
      { architecture: "SCMP_ARCH_X86_64", subArchitectures: ["SCMP_ARCH_X86", "SCMP_ARCH_X32"] },
      { architecture: "SCMP_ARCH_AARCH64", subArchitectures: ["SCMP_ARCH_ARM"] },
    ],
    syscalls: [
      { names: ["read"], action: "SCMP_ACT_ALLOW", args: [], includes: {}, excludes: {} },
      { names: ["mount"], action: "SCMP_ACT_ALLOW", includes: { caps: ["CAP_SYS_ADMIN"] } },
      { names: ["mount"], action: "SCMP_ACT_ERRNO", errnoRet: 1, excludes: { caps: ["CAP_SYS_ADMIN"] } },
      { names: ["arch_prctl"], action: "SCMP_ACT_ALLOW", includes: { arches: ["amd64", "x32"] } },
      { names: ["arm_sync"], action: "SCMP_ACT_ALLOW", includes: { arches: ["arm", "arm64"] } },
      { names: ["ptrace"], action: "SCMP_ACT_ALLOW", includes: { minKernel: "4.8" } },
      { names: ["future"], action: "SCMP_ACT_ALLOW", includes: { minKernel: "99.0" } },
      { names: ["personality"], action: "SCMP_ACT_ALLOW", args: [{ index: 0, value: 8, valueTwo: 0, op: "SCMP_CMP_EQ" }] },
      { name: "old_style", action: "SCMP_ACT_ALLOW" },
    ],
  }),
);
const facts = { capabilities: ["CAP_KILL"], architecture: "x64", kernelRelease: "6.1.0-13-amd64" };
const rules = (of: typeof facts): string[] => resolveSeccomp(profile, of).syscalls.map((rule) => `${rule.names.join()} ${rule.action}`);

describe("resolveSeccomp", () => {
  test("conditions on capability, architecture and kernel decide which rules stay", () => {
    expect(rules(facts)).toEqual([
      "read SCMP_ACT_ALLOW",
      "mount SCMP_ACT_ERRNO",
      "arch_prctl SCMP_ACT_ALLOW",
      "ptrace SCMP_ACT_ALLOW",
      "personality SCMP_ACT_ALLOW",
      "old_style SCMP_ACT_ALLOW",
    ]);
    expect(rules({ ...facts, capabilities: ["CAP_SYS_ADMIN"], architecture: "arm64", kernelRelease: "4.7.1" })).toEqual([
      "read SCMP_ACT_ALLOW",
      "mount SCMP_ACT_ALLOW",
      "arm_sync SCMP_ACT_ALLOW",
      "personality SCMP_ACT_ALLOW",
      "old_style SCMP_ACT_ALLOW",
    ]);
  });

  test("the architectures are the machine's family", () => {
    expect(resolveSeccomp(profile, facts).architectures).toEqual(["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"]);
    expect(resolveSeccomp(profile, { ...facts, architecture: "arm64" }).architectures).toEqual(["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"]);
  });

  test("nothing that OCI does not know is left in a rule", () => {
    const [read, , , , personality] = resolveSeccomp(profile, facts).syscalls;
    expect(read).toEqual({ names: ["read"], action: "SCMP_ACT_ALLOW" });
    expect(personality?.args).toEqual([{ index: 0, value: 8, op: "SCMP_CMP_EQ" }]);
  });
});

test.each(["", "{", "[]", '{"syscalls":[]}'])("%j is no profile", (text) => {
  expect(() => parseSeccompProfile(text)).toThrow("Decoding seccomp profile failed");
});
