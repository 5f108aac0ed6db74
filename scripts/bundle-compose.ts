// Writes `dist/compose`: `flotilla compose` with all that it needs, in a few files instead of some three hundred. Made beside and moved into
// place, so that a command that runs meanwhile, or a second bundling, finds a whole one.
import { mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { rolldown } from "rolldown";

const ROOT = join(import.meta.dirname, "..");
const out = join(ROOT, "dist", "compose");
const fresh = `${out}.${process.pid}`;

const bundle = await rolldown({ input: { main: join(ROOT, "apps/cli/src/compose/main.ts") }, platform: "node" });
await bundle.write({ dir: fresh, format: "esm", entryFileNames: "[name].mjs", chunkFileNames: "[name]-[hash].mjs" });
await bundle.close();
mkdirSync(join(ROOT, "dist"), { recursive: true });
const old = `${fresh}.old`;
try {
  renameSync(out, old);
} catch {
  // There was none yet.
}
try {
  renameSync(fresh, out);
} catch {
  // Another bundling has just put the same there.
}
for (const dir of [old, fresh]) rmSync(dir, { recursive: true, force: true });
