import { ExecCreateBody } from "@flotilla/engine-api";
import { describe, expect, test } from "vitest";
import type { ContainerView } from "../engine/containers-port.ts";
import type { ResolvedUser } from "../engine/resolve-user.ts";
import type { OciProcess } from "../runtime/oci-spec.ts";
import { planExecProcess } from "./plan-exec-process.ts";

const base: OciProcess = {
  terminal: true,
  consoleSize: { height: 1, width: 2 },
  user: { uid: 0, gid: 0 },
  args: ["sleep"],
  env: ["PATH=/bin"],
  cwd: "/work",
  capabilities: { bounding: ["CAP_CHOWN"], effective: ["CAP_CHOWN"], permitted: ["CAP_CHOWN"] },
  noNewPrivileges: true,
  oomScoreAdj: 7,
};
const container = { id: "0123456789abcdef", config: { Hostname: "", Env: ["A=1", "B=1"] } } as unknown as ContainerView;
const root: ResolvedUser = { uid: 0, gid: 0, additionalGids: [], home: "/root" };

function plan(body: object, user = root): OciProcess {
  const exec = ExecCreateBody.parse({ Cmd: ["ls"], ...body });
  return planExecProcess({ base, container, exec, user, allCapabilities: ["CAP_CHOWN", "CAP_SYS_ADMIN"], size: { rows: 30, columns: 90 } });
}

describe("planExecProcess", () => {
  test("takes over what protects the container", () => {
    expect(plan({})).toMatchObject({ noNewPrivileges: true, oomScoreAdj: 7, cwd: "/work", args: ["ls"], terminal: false });
    expect(plan({})).not.toHaveProperty("consoleSize");
  });

  test("has the container's environment, and its own on top", () => {
    expect(plan({ Env: ["B=2", "C=3"] }).env).toEqual(expect.arrayContaining(["A=1", "B=2", "C=3", "HOME=/root", "HOSTNAME=0123456789ab"]));
    expect(plan({ Env: ["B=2"] }).env).not.toContain("B=1");
  });

  test("a plain user has no effective capabilities", () => {
    expect(plan({}, { uid: 1000, gid: 100, additionalGids: [5], home: "/home/u" })).toMatchObject({
      user: { uid: 1000, gid: 100, additionalGids: [5] },
      capabilities: { bounding: ["CAP_CHOWN"], effective: [], permitted: [] },
    });
  });

  test("a privileged one has all that there are", () => {
    expect(plan({ Privileged: true }).capabilities).toMatchObject({ effective: ["CAP_CHOWN", "CAP_SYS_ADMIN"] });
  });

  test("a terminal has the client's size", () => {
    expect(plan({ Tty: true })).toMatchObject({ terminal: true, consoleSize: { height: 30, width: 90 } });
  });
});
