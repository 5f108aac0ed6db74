// The control plane as a directory that runs anywhere: its sources, the packages that it needs at run time, the built
// dashboard, the agent that it gives to hosts, and Node itself. `examples/control/Dockerfile` makes an image of it.
import { cpSync, mkdirSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { ensureAgentBundle } from "../apps/cli/src/bundle/agent-bundle.ts";
import { copyProgramTree, planProgramTree } from "../apps/cli/src/bundle/program-tree.ts";
import { ensureDashboard } from "../apps/cli/src/up/build-dashboard.ts";

const ROOT = join(import.meta.dirname, "..");

/** What only a build needs: Next's compiler, its image library, TypeScript. */
const BUILD_ONLY = /^(@next\+swc-|@img\+|sharp@|typescript@|@typescript\+)/;

/** Writes the bundle into `out`, which is emptied first: `app/` is the tree and `node` the program that runs it. Nothing is downloaded. */
export async function makeControlBundle(out: string): Promise<void> {
  const note = (text: string): void => console.error(text);
  await ensureDashboard(note);
  await ensureAgentBundle(note);
  const app = join(out, "app");
  rmSync(out, { recursive: true, force: true });
  mkdirSync(app, { recursive: true });
  const tree = planProgramTree(ROOT, ["apps/control"]);
  copyProgramTree({ root: ROOT, tree, out: app, isSkipped: (stored) => BUILD_ONLY.test(basename(stored)) });
  for (const part of ["package.json", "prisma/migrations", "dist/agent"]) cpSync(join(ROOT, part), join(app, part), { recursive: true });
  cpSync(process.execPath, join(out, "node"));
}
