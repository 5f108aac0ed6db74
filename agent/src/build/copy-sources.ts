// What a COPY or ADD reads, before anything is written: enough for its cache key, and what the worker needs.
import { createHash } from "node:crypto";
import { FlotillaError } from "@flotilla/core";
import type { CopyStep } from "@flotilla/dockerfile";
import type { BuildJob, StepScope } from "./build-job.ts";
import { fetchUrl, type FetchedFile } from "./fetch-url.ts";
import { openSource, type SourceMount } from "./source-mounts.ts";
import type { CopyItem } from "./worker/build-jobs.ts";
import { planSources } from "./worker/plan-items.ts";
import type { ContextIndex } from "./worker/context-index.ts";

/** Files of the context, files of another tree, and files that were fetched. */
export type CopySources = {
  contextItems: readonly CopyItem[];
  other: { mount: SourceMount; sources: readonly string[] } | undefined;
  fetched: readonly FetchedFile[];
};

const URL_SOURCE = /^https?:\/\//i;
const GIT_SOURCE = /^(?:git@|git:\/\/|ssh:\/\/)|^https?:\/\/[^?#]*\.git(?:#|$)/i;

/** Finds the files. @throws FlotillaError `invalid` in Docker's words for what is not there. */
export async function openCopySources(scope: StepScope, step: CopyStep): Promise<CopySources & { close(): Promise<void> }> {
  const { job } = scope;
  if (step.from !== undefined) {
    const mount = await openSource(scope, step.from);
    const close = (): Promise<void> => mount.close();
    return { contextItems: [], other: { mount, sources: step.sources }, fetched: [], close };
  }
  const urls = step.kind === "add" ? step.sources.filter((source) => URL_SOURCE.test(source) || GIT_SOURCE.test(source)) : [];
  const paths = step.sources.filter((source) => !urls.includes(source));
  if (step.checksum !== undefined && (urls.length !== 1 || paths.length > 0)) {
    throw new FlotillaError("invalid", "checksum can't be specified for local sources");
  }
  const contextItems = itemsOf(job, step, paths);
  const fetched: FetchedFile[] = [];
  const close = async (): Promise<void> => {
    for (const file of fetched) file.discard();
  };
  try {
    for (const url of urls) {
      if (GIT_SOURCE.test(url)) throw new FlotillaError("not_implemented", `ADD ${url}: git repositories are not supported as a source`);
      fetched.push(await fetchUrl(job, { url, checksum: step.checksum, destination: step.destination }));
    }
    return { contextItems, other: undefined, fetched, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** One text that says all that a copy from the context would bring. */
export function contextDigest(index: ContextIndex, items: readonly CopyItem[]): string {
  const hash = createHash("sha256");
  const add = (path: string, name: string): void => {
    const type = index.typeOf(path) ?? "directory";
    hash.update(JSON.stringify([name, type, index.digestOf(path)]));
    if (type !== "directory") return;
    for (const child of index.children(path)) add(path === "" ? child : `${path}/${child}`, `${name}/${child}`);
  };
  for (const item of items) add(item.path, item.name);
  return hash.digest("hex");
}

function itemsOf(job: BuildJob, step: CopyStep, paths: readonly string[]): CopyItem[] {
  for (const path of paths) assertInside(path, step.kind);
  const verb = step.kind.toUpperCase();
  const bytes = paths.map((path) => Buffer.from(path, "utf8").toString("latin1"));
  const items = planSources(job.index, bytes, {
    keepsParents: step.keepsParents,
    missing: (source) =>
      `${verb} failed: file not found in build context or excluded by .dockerignore: stat ${source}: file does not exist`,
  });
  if (items.length === 0 && paths.length > 0) throw new FlotillaError("invalid", `${verb} failed: no source files were specified`);
  if (items.length > 1 && !step.destination.endsWith("/")) {
    throw new FlotillaError(
      "invalid",
      `When using ${verb} with more than one source file, the destination must be a directory and end with a /`,
    );
  }
  return items.map(({ path, name }) => ({ path, name }));
}

/** `..` that leads above the context; what stays inside is only written in a roundabout way. */
function assertInside(path: string, kind: string): void {
  let depth = 0;
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    depth += part === ".." ? -1 : 1;
    if (depth < 0 && !path.startsWith("/")) {
      throw new FlotillaError("invalid", `${kind.toUpperCase()} failed: forbidden path outside the build context: ${path} ()`);
    }
  }
}
