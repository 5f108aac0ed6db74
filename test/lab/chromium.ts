import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Browser, chromium } from "playwright-core";
import { CHROMIUM_FLAGS } from "../support/chromium-flags.ts";
import { CONTROL_NODE, labDirectory, type LabPlan } from "./lab-plan.ts";
import { initOf } from "./nodes.ts";

/**
 * Chromium in the network of the lab's control plane. On the machine itself links of other tests come and go, and Chromium breaks off
 * what it is loading whenever an address does (ERR_NETWORK_CHANGED); there they stay as they are.
 */
export function launchInLab(plan: LabPlan): Promise<Browser> {
  const pid = initOf({ lab: plan.name, node: CONTROL_NODE });
  const file = join(labDirectory(plan.name), "chromium");
  writeFileSync(file, `#!/bin/sh\nexec nsenter --target=${pid} --net /usr/bin/chromium "$@"\n`, { mode: 0o755 });
  return chromium.launch({ executablePath: file, args: [...CHROMIUM_FLAGS] });
}
