import { dirname } from "node:path/posix";
import { type Pack, pack } from "tar-stream";
import type { FileToCopy } from "./file-contents.ts";

/** An archive of the files with the directories above them, for `PUT /containers/{id}/archive?path=/`. */
export function tarOf(files: readonly FileToCopy[]): Pack {
  const archive = pack();
  const made = new Set(["/", "."]);
  const makeParents = (path: string): void => {
    const dir = dirname(path);
    if (made.has(dir)) return;
    makeParents(dir);
    made.add(dir);
    archive.entry({ name: `${dir.slice(1)}/`, type: "directory", mode: 0o755 });
  };
  for (const { target, content, uid, gid, mode } of files) {
    makeParents(target);
    archive.entry({ name: target.slice(1), uid, gid, mode, size: content.length }, content);
  }
  archive.finalize();
  return archive;
}
