import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { FlotillaError } from "@flotilla/core";
import type { ExecCreateBody } from "@flotilla/engine-api";
import { z } from "zod";
import type { ContainerView } from "../engine/containers-port.ts";
import { resolveUser } from "../engine/resolve-user.ts";
import type { TerminalSize } from "../host/pty-process.ts";
import { readTextInRoot } from "../host/rooted-path.ts";
import { capabilitiesOfMask } from "../runtime/capabilities.ts";
import { OciProcess } from "../runtime/oci-spec.ts";
import { planExecProcess } from "./plan-exec-process.ts";

const BundleConfig = z.object({ process: OciProcess });
const MAX_ACCOUNTS_BYTES = 1024 * 1024;

/** Reads what an exec needs to know of the running container, and plans its process. @throws invalid for an unknown user. */
export async function prepareExecProcess(view: ContainerView, exec: ExecCreateBody, size: TerminalSize | undefined): Promise<OciProcess> {
  const text = await readFile(join(view.bundleDir, "config.json"), "utf8");
  const config = BundleConfig.safeParse(JSON.parse(text));
  if (!config.success) throw new FlotillaError("internal", `read configuration of container ${view.id}: ${config.error.message}`);
  // The tree as the container sees it now: users may have been added since it started.
  const root = `/proc/${view.pid}/root`;
  const user = resolveUser({
    user: exec.User === "" ? view.config.User : exec.User,
    groupAdd: view.hostConfig.GroupAdd ?? [],
    passwd: readTextInRoot(root, "/etc/passwd", MAX_ACCOUNTS_BYTES) ?? "",
    group: readTextInRoot(root, "/etc/group", MAX_ACCOUNTS_BYTES) ?? "",
  });
  const allCapabilities = exec.Privileged ? [...ownCapabilities()] : [];
  return planExecProcess({ base: config.data.process, container: view, exec, user, allCapabilities, size });
}

/** The agent's bounding set: more cannot be given. */
function ownCapabilities(): Set<string> {
  return capabilitiesOfMask(/^CapBnd:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "");
}
