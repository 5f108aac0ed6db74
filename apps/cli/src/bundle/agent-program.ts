import { existsSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../paths.ts";
import { type Build, buildOnce } from "./build-once.ts";
import { runBuild } from "./run-build.ts";

const BUNDLER = join(ROOT, "scripts", "bundle-agent.ts");
const PROGRAM: Build = {
  sources: {
    patterns: ["agent/src/**/*.ts", "packages/{core,dockerfile,engine-api,image,protocol,registry}/src/**/*.ts", "pnpm-lock.yaml"],
    isLeftOut: /\.test\.ts$/,
  },
  made: "agent/dist/main.mjs",
  stamp: "agent/dist/sources",
  notice: "bundling the agent (once after each change of it)",
  run: () => runBuild("bundle the agent", ["--disable-warning=ExperimentalWarning", BUNDLER], { cwd: ROOT }),
};

/** The module that the agent is started with; in a checkout, made of the sources as they are. On a host it came with the installation. */
export async function agentMain(note: (text: string) => void = () => undefined): Promise<string> {
  if (existsSync(BUNDLER)) await buildOnce(PROGRAM, note);
  return join(ROOT, PROGRAM.made);
}
