import { readSync, writeSync } from "node:fs";
import { FlotillaError } from "@flotilla/core";
import { TarReader } from "../../archive/tar/reader.ts";
import { forEntry } from "../../archive/worker/for-entry.ts";
import { cleanEntryName } from "../../archive/worker/paths.ts";
import { TreeWriter } from "../../archive/worker/tree-writer.ts";
import { assertContextEntry, IndexBuilder, startContentHash } from "./context-index.ts";

/**
 * Extracts a build context into the process's root and says what it holds: one JSON array to `output`.
 * @throws FlotillaError `too_large` before a file that would not fit on the disk.
 */
export function extractContext(input: number, job: { output: number; maxBytes: number }): void {
  const reader = new TarReader((buffer) => readSync(input, buffer));
  const tree = new TreeWriter({ base: "", noOverwriteDirNonDir: false });
  const index = new IndexBuilder();
  let bytes = 0;
  for (let entry = reader.next(); entry !== undefined; entry = reader.next()) {
    const name = cleanEntryName(entry.name);
    assertContextEntry(name, entry);
    // Holes count: whoever copies the file writes them.
    bytes += entry.size;
    if (bytes > job.maxBytes)
      throw new FlotillaError("too_large", `build context: ${name} makes it larger than ${job.maxBytes} bytes, which is the free space`);
    const hash = startContentHash(entry);
    const content = {
      readContent: (use: (chunk: Buffer) => void): void =>
        reader.readContent((chunk) => {
          hash.update(chunk);
          use(chunk);
        }),
    };
    forEntry(name, () => tree.write(name, entry, content));
    index.add(name, entry, entry.type === "file" ? hash.digest("hex") : "");
  }
  tree.finish();
  reader.drain();
  const text = Buffer.from(JSON.stringify(index.entries()));
  for (let done = 0; done < text.length;) done += writeSync(job.output, text, done);
}
