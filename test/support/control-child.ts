// A control plane in a process of its own, for tests that kill it. It applies retention and cleans up without a pause, as if
// all leases had ended (unless `--without-clean-up`), and says "ready" when it serves.
import { setTimeout as sleep } from "node:timers/promises";
import { silentLogger } from "@flotilla/core";
import { applyAllRetention, collectGarbage, LEASE_MS, SYSTEM } from "@flotilla/services";
import { readControlConfig } from "../../apps/control/src/server/env.ts";
import { startControl } from "../../apps/control/src/server/start-control.ts";

const PAUSE_MS = 200;

const control = await startControl({ config: readControlConfig(process.env), logger: silentLogger, version: "0.0.0-test" });
process.stdout.write("ready\n");
while (!process.argv.includes("--without-clean-up")) {
  await applyAllRetention(control.services, SYSTEM).catch(() => undefined);
  // Ended in the rows and not by another clock: a lease that is renewed meanwhile must count.
  await control.services.prisma.registryLink.updateMany({ data: { leasedUntil: new Date(0) } }).catch(() => undefined);
  await collectGarbage(control.services, { orphanAgeMs: LEASE_MS }).catch(() => undefined);
  await sleep(PAUSE_MS);
}
