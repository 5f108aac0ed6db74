import { mkdirSync, rmdirSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { FlotillaError } from "@flotilla/core";
import { type HeldPath, holdPath } from "../host/held-path.ts";
import { mount, MS, unmount } from "../host/libc.ts";
import { resolveInRoot } from "../host/rooted-path.ts";
import { isWithin } from "../guard/bind-rules.ts";
import type { BindFact } from "../guard/guard-facts.ts";

/**
 * Mounts of paths that somebody else may change: inside volumes, and below directories that a guard rail allows. Between a
 * look at such a path and its mount a container could put a link there, so what was looked at is held and bound to a place of
 * the engine's own, which the runtime then mounts. Lives from the look until the container has its mounts.
 */
export class PinnedSources {
  readonly #base: string;
  readonly #places: { path: string; isDirectory: boolean }[] = [];
  /** What was asked for, by its place: for guard rails. */
  readonly binds = new Map<string, BindFact>();

  /** @param base a name of a directory that a crash may leave: start-up takes away what is mounted below it. */
  constructor(base: string) {
    this.#base = base;
  }

  /** @returns the place to mount from. @throws invalid when nothing is there. */
  pinBind(source: string): string {
    const held = holdPath(source);
    if (held === undefined) throw missingSource(source);
    const place = this.#pin(held);
    this.binds.set(place, { asked: source, realPath: held.realPath, isSocket: held.isSocket });
    return place;
  }

  /** A part of a volume, links in it resolved with the volume as "/". @throws invalid for what is not there or leads out of it. */
  pinSubpath(root: string, subpath: string): string {
    return this.#pin(holdSubpath(root, subpath));
  }

  /** Takes the places away; containers that have them mounted keep what they have. */
  release(): void {
    for (const { path, isDirectory } of this.#places.splice(0).toReversed()) {
      unmount(path);
      // Never recursively: what an unmount left in place would be deleted with it.
      if (isDirectory) rmdirSync(path);
      else unlinkSync(path);
    }
  }

  #pin(held: HeldPath): string {
    try {
      const place = join(this.#base, `pin-${process.hrtime.bigint()}`);
      mkdirSync(held.isDirectory ? place : this.#base, { recursive: true, mode: 0o700 });
      if (!held.isDirectory) writeFileSync(place, "");
      this.#places.push({ path: place, isDirectory: held.isDirectory });
      mount({ source: held.path, target: place, flags: MS.BIND | MS.REC });
      return place;
    } finally {
      held.close();
    }
  }
}

/** @throws invalid for what is not there or leads out of the volume. */
export function holdSubpath(root: string, subpath: string): HeldPath {
  const held = holdPath(resolveInRoot(root, subpath));
  const base = holdPath(root);
  base?.close();
  if (held !== undefined && base !== undefined && isWithin(held.realPath, base.realPath)) return held;
  held?.close();
  throw new FlotillaError("invalid", `cannot access path ${join(root, subpath)}: no such file or directory`);
}

export function missingSource(source: string): FlotillaError {
  return new FlotillaError("invalid", `invalid mount config for type "bind": bind source path does not exist: ${source}`);
}
