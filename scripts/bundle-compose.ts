// Writes `dist/compose`: `flotilla compose` with all that it needs, in a few files instead of some three hundred.
import { join } from "node:path";
import { rolldown } from "rolldown";
import { replaceDirectory } from "./replace-directory.ts";

const ROOT = join(import.meta.dirname, "..");

await replaceDirectory(join(ROOT, "dist", "compose"), async (dir) => {
  const bundle = await rolldown({ input: { main: join(ROOT, "apps/cli/src/compose/main.ts") }, platform: "node" });
  await bundle.write({ dir, format: "esm", entryFileNames: "[name].mjs", chunkFileNames: "[name]-[hash].mjs" });
  await bundle.close();
});
