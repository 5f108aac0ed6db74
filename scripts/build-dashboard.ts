// Builds the dashboard if its sources changed since the last build: what `npm start` does first.
import { ensureDashboard } from "../apps/cli/src/up/build-dashboard.ts";

await ensureDashboard((text) => console.log(text));
