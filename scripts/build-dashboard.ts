// Builds the dashboard when its sources changed, so that the time does not count against the first test that needs it.
import { ensureDashboard } from "../apps/cli/src/up/build-dashboard.ts";

await ensureDashboard((text) => console.log(text));
