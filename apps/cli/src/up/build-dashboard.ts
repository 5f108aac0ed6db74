import { join } from "node:path";
import { type Build, buildOnce } from "../bundle/build-once.ts";
import { runBuild } from "../bundle/run-build.ts";
import { ROOT } from "../paths.ts";

const CONTROL = join(ROOT, "apps", "control");
const DASHBOARD: Build = {
  sources: {
    patterns: [
      "apps/control/src/**/*.{ts,tsx,css,json,svg}",
      "apps/control/*.{ts,mjs,json}",
      "packages/{core,engine-api}/src/**/*.ts",
      "pnpm-lock.yaml",
    ],
    isLeftOut: /src\/server\/|\.test\.tsx?$|next-env\.d\.ts$/,
  },
  made: "apps/control/.next/BUILD_ID",
  stamp: "apps/control/.next/flotilla-sources",
  notice: "building the dashboard (once after each change of it)",
  run: () =>
    runBuild("build the dashboard", [join(CONTROL, "node_modules", "next", "dist", "bin", "next"), "build"], {
      cwd: CONTROL,
      env: { NEXT_TELEMETRY_DISABLED: "1", NODE_ENV: "production", NO_COLOR: "1" },
    }),
};

/** Builds the dashboard when its sources are not those of the last build; two that start together build it once. */
export function ensureDashboard(note: (text: string) => void): Promise<void> {
  return buildOnce(DASHBOARD, note);
}
