import { closeSync, fstatSync, lstatSync, readdirSync, realpathSync } from "node:fs";
import { toPath } from "../tar/block.ts";
import { formatHeader } from "../tar/writer.ts";
import { entryOf, openUnlessGone, typeOf } from "./entry-of.ts";
import { isPseudoFileSystem } from "./pseudo-file-system.ts";
import { lookUp, type ClientPath } from "./stat-path.ts";
import { TarOutput } from "./tar-output.ts";

/**
 * Writes a tar of a path to file descriptor `output`, blocking while nobody reads. The process's root is the tree.
 * Entries start with the path's base name; an export has everything under the root, without a leading slash.
 */
export function pack(output: number, client: ClientPath, options: { isExport: boolean }): void {
  const stats = lookUp(client);
  // Resolved once, so that entries below a followed link are real paths.
  const path = client.isFollowed || stats.isDirectory() ? realpathSync(toPath(client.path), { encoding: "latin1" }) : client.path;
  const packer = new Packer(output);
  if (options.isExport) packer.addChildren("/", "");
  // Docker names entries of the root itself `/…`.
  else packer.add(path, client.base);
  packer.end();
}

class Packer {
  readonly #output: TarOutput;
  /** First name of each file with several names, by device and inode. */
  readonly #links = new Map<string, string>();

  constructor(output: number) {
    this.#output = new TarOutput(output);
  }

  add(path: string, name: string): void {
    const stats = lstatSync(toPath(path), { throwIfNoEntry: false });
    // A file of a live container may go away at any time.
    if (stats === undefined) return;
    if (stats.isFile()) return this.#file(path, name);
    const type = typeOf(stats);
    // Sockets have no place in a tar.
    if (type === undefined) return;
    this.#output.write(formatHeader(entryOf({ path, name, stats, type })));
    if (type === "directory" && !isPseudoFileSystem(path, stats.dev)) this.addChildren(path, name);
  }

  addChildren(path: string, name: string): void {
    const prefix = path.endsWith("/") ? path : `${path}/`;
    const namePrefix = name === "" || name.endsWith("/") ? name : `${name}/`;
    for (const child of readdirSync(toPath(path), { encoding: "latin1" }).toSorted())
      this.add(`${prefix}${child}`, `${namePrefix}${child}`);
  }

  end(): void {
    this.#output.end();
  }

  #file(path: string, name: string): void {
    const fd = openUnlessGone(path);
    if (fd === undefined) return;
    try {
      const stats = fstatSync(fd);
      if (!stats.isFile()) return;
      const inode = `${stats.dev}:${stats.ino}`;
      const first = stats.nlink > 1 ? this.#links.get(inode) : undefined;
      if (first !== undefined)
        return this.#output.write(formatHeader({ ...entryOf({ path, name, stats, type: "link" }), linkName: first, size: 0 }));
      if (stats.nlink > 1) this.#links.set(inode, name);
      this.#output.write(formatHeader(entryOf({ path, name, stats, type: "file" })));
      this.#output.content(fd, stats.size);
    } finally {
      closeSync(fd);
    }
  }
}
