// Writes `dist/compose`: `flotilla compose` with all that it needs, in a few files instead of some three hundred.
import { readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { type Plugin, rolldown } from "rolldown";
import { replaceDirectory } from "./replace-directory.ts";

const ROOT = join(import.meta.dirname, "..");

/** commander can start programs. Nothing here has it do so, and a snapshot that has seen `node:child_process` cannot be written. */
const lateChildProcess: Plugin = {
  name: "late-child-process",
  resolveId: (id) => (id === "node:child_process" ? "\0late-child-process" : undefined),
  load: (id) =>
    id === "\0late-child-process"
      ? 'export default { spawn: (...args) => process.getBuiltinModule("node:child_process").spawn(...args) };'
      : undefined,
};

/** One file of CommonJS, for that is what Node makes a start-up snapshot of. @returns the modules in it. */
async function writeSnapshotSource(dir: string): Promise<string[]> {
  const input = { snapshot: join(ROOT, "apps/cli/src/compose/snapshot/main.ts") };
  const bundle = await rolldown({ input, platform: "node", plugins: [lateChildProcess] });
  const output = { dir, format: "cjs", entryFileNames: "[name].cjs", codeSplitting: false } as const;
  // Without comments and space: the whole text is in the snapshot, which is read at each start. Names stay, for traces.
  const written = await bundle.write({ ...output, minify: { compress: false, mangle: false, codegen: { removeWhitespace: true } } });
  await bundle.close();
  // V8 keeps a text with one letter beyond Latin-1 in twice the space.
  const path = join(dir, "snapshot.cjs");
  const toEscape = (letter: string): string => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`;
  writeFileSync(path, readFileSync(path, "utf8").replace(/[\u0100-\uffff]/g, toEscape));
  return written.output.flatMap((part) => (part.type === "chunk" ? part.moduleIds : []));
}

await replaceDirectory(join(ROOT, "dist", "compose"), async (dir) => {
  const bundle = await rolldown({ input: { main: join(ROOT, "apps/cli/src/compose/main.ts") }, platform: "node" });
  const { output } = await bundle.write({ dir, format: "esm", entryFileNames: "[name].mjs", chunkFileNames: "[name]-[hash].mjs" });
  // What a start looks at, to know that the bundle is of the sources as they are (scripts/bootstrap.mjs).
  await bundle.close();
  const ids = [...output.flatMap((part) => (part.type === "chunk" ? part.moduleIds : [])), ...(await writeSnapshotSource(dir))];
  const modules = ids.filter((path) => path.startsWith(ROOT));
  const own = modules.map((path) => relative(ROOT, path)).filter((path) => !path.startsWith("node_modules"));
  writeFileSync(join(dir, "modules"), [...new Set(own)].sort().join("\n"));
});
