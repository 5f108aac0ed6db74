import { createReadStream, lstatSync, readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { isAbsolute, join, relative } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { FlotillaError } from "@flotilla/core";
import { parseIgnoreFile, PatternMatcher } from "@flotilla/dockerfile";
import { type Pack, pack } from "tar-stream";

export type PackedContext = { stream: Readable; /** The Dockerfile's name in the archive. */ dockerfile: string };

const OUTSIDE = ".dockerfile.flotilla";

/** A directory as a build context, without what `.dockerignore` (or `<Dockerfile>.dockerignore`) leaves out. @throws not_found, invalid. */
export function packContext(dir: string, { dockerfile, inline }: { dockerfile: string; inline: string | undefined }): PackedContext {
  if (!isDirectory(dir)) throw new FlotillaError("not_found", `unable to prepare context: path "${dir}" not found`);
  const path = isAbsolute(dockerfile) ? dockerfile : join(dir, dockerfile);
  const isOutside = inline !== undefined || relative(dir, path).startsWith("..");
  const name = isOutside ? OUTSIDE : relative(dir, path);
  const text = inline ?? (isOutside ? readFileSync(path, "utf8") : undefined);
  const ignore = readIgnore(dir, isOutside ? undefined : path);
  // What the build itself reads is sent in any case.
  const matcher = ignore === undefined ? undefined : new PatternMatcher([...parseIgnoreFile(ignore), "!.dockerignore", `!${name}`]);
  const archive = pack();
  void fill(archive, { dir, matcher, extra: text === undefined ? undefined : { name, text } }).then(
    () => archive.finalize(),
    (error: unknown) => archive.destroy(error instanceof Error ? error : new Error(String(error))),
  );
  return { stream: Readable.from(archive), dockerfile: name };
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function readIgnore(dir: string, dockerfile: string | undefined): string | undefined {
  for (const path of [...(dockerfile === undefined ? [] : [`${dockerfile}.dockerignore`]), join(dir, ".dockerignore")]) {
    if (statSync(path, { throwIfNoEntry: false }) !== undefined) return readFileSync(path, "utf8");
  }
  return undefined;
}

type Filling = { dir: string; matcher: PatternMatcher | undefined; extra: { name: string; text: string } | undefined };

async function fill(archive: Pack, { dir, matcher, extra }: Filling): Promise<void> {
  if (extra !== undefined) archive.entry({ name: extra.name, mode: 0o644 }, extra.text);
  await addEntries(archive, { dir, prefix: "", matcher });
}

async function addEntries(
  archive: Pack,
  { dir, prefix, matcher }: { dir: string; prefix: string; matcher: PatternMatcher | undefined },
): Promise<void> {
  for (const name of readdirSync(join(dir, prefix)).sort()) {
    const path = prefix === "" ? name : `${prefix}/${name}`;
    const full = join(dir, path);
    const stat = lstatSync(full, { throwIfNoEntry: false });
    if (stat === undefined) continue;
    const isLeftOut = matcher?.matches(path) === true;
    const header = { name: path, mode: stat.mode & 0o7777, uid: 0, gid: 0, mtime: stat.mtime };
    if (stat.isDirectory()) {
      if (!isLeftOut) archive.entry({ ...header, name: `${path}/`, type: "directory" });
      // A `!` pattern may take something back in from below.
      if (!isLeftOut || matcher === undefined || !matcher.canSkipDirectory(path)) await addEntries(archive, { dir, prefix: path, matcher });
    } else if (isLeftOut) continue;
    else if (stat.isSymbolicLink()) archive.entry({ ...header, type: "symlink", linkname: readlinkSync(full) });
    else if (stat.isFile() && stat.size === 0) archive.entry({ ...header, size: 0 }, "");
    else if (stat.isFile()) await pipeline(createReadStream(full, { end: stat.size - 1 }), archive.entry({ ...header, size: stat.size }));
  }
}
