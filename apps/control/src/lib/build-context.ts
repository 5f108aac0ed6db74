import type { TarEntry } from "./tar.ts";

/** A picked or dropped file with its path below the folder that it came from. */
export type ContextFile = { path: string; file: File };

/** Files of an `<input webkitdirectory>`: their paths begin with the folder's own name, which is no part of the context. */
export function filesOfInput(files: Iterable<File>): ContextFile[] {
  return [...files].map((file) => ({ path: withoutRoot(file.webkitRelativePath) || file.name, file }));
}

function withoutRoot(path: string): string {
  return path.slice(path.indexOf("/") + 1);
}

/**
 * Files of a drop. One folder is the context itself; several files and folders lie beside each other in it. The browser gives a folder's
 * entries in parts, so each is read until it is empty.
 */
export async function filesOfDrop(items: DataTransferItemList): Promise<ContextFile[]> {
  const roots = [...items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  const found = (await Promise.all(roots.map((root) => walk(root)))).flat();
  const isOneFolder = roots.length === 1 && roots[0]?.isDirectory === true;
  return found.map(({ path, file }) => ({ path: isOneFolder ? withoutRoot(path) : path, file }));
}

async function walk(entry: FileSystemEntry): Promise<ContextFile[]> {
  const path = entry.fullPath.replace(/^\//, "");
  if (isFile(entry)) return [{ path, file: await new Promise<File>((resolve, reject) => entry.file(resolve, reject)) }];
  if (!isFolder(entry)) return [];
  const reader = entry.createReader();
  const all: ContextFile[] = [];
  for (;;) {
    const children = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (children.length === 0) return all;
    all.push(...(await Promise.all(children.map((child) => walk(child)))).flat());
  }
}

function isFile(entry: FileSystemEntry): entry is FileSystemFileEntry {
  return entry.isFile;
}

function isFolder(entry: FileSystemEntry): entry is FileSystemDirectoryEntry {
  return entry.isDirectory;
}

/** What is packed: sorted, so that the same files give the same archive and the builder's cache knows them again. */
export function toEntries(files: readonly ContextFile[]): TarEntry[] {
  return [...files]
    .sort((a, b) => (a.path < b.path ? -1 : 1))
    .map(({ path, file }) => ({ path, content: file, modifiedAtMs: file.lastModified }));
}
