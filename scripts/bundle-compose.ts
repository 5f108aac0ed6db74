// Writes `dist/compose`: `flotilla compose` with all that it needs, in a few files instead of some three hundred.
import { writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { rolldown } from "rolldown";
import { replaceDirectory } from "./replace-directory.ts";

const ROOT = join(import.meta.dirname, "..");

await replaceDirectory(join(ROOT, "dist", "compose"), async (dir) => {
  const bundle = await rolldown({ input: { main: join(ROOT, "apps/cli/src/compose/main.ts") }, platform: "node" });
  const { output } = await bundle.write({ dir, format: "esm", entryFileNames: "[name].mjs", chunkFileNames: "[name]-[hash].mjs" });
  // What a start looks at, to know that the bundle is of the sources as they are (scripts/bootstrap.mjs).
  const modules = output.flatMap((part) => (part.type === "chunk" ? part.moduleIds : [])).filter((path) => path.startsWith(ROOT));
  const own = modules.map((path) => relative(ROOT, path)).filter((path) => !path.startsWith("node_modules"));
  writeFileSync(join(dir, "modules"), [...new Set(own)].sort().join("\n"));
  await bundle.close();
});
