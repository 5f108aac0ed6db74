import { chmodSync, cpSync, mkdirSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { FlotillaError } from "@flotilla/core";
import type { RunMount, RunStep } from "@flotilla/dockerfile";
import { resolveInRoot } from "../host/rooted-path.ts";
import type { StepScope } from "./build-job.ts";
import { openSource } from "./source-mounts.ts";

/** Mounts of a RUN in Docker's words, and what to give back after it. */
export type RunMounts = { requests: Record<string, unknown>[]; targets: string[]; close(): Promise<void> };

type Opened = { request: Record<string, unknown>; target: string };
type Closer = () => Promise<void> | void;

/** @throws FlotillaError `invalid` for a secret or key that the step needs: this protocol has no way to bring them. */
export async function openRunMounts(scope: StepScope, step: RunStep): Promise<RunMounts> {
  const closers: Closer[] = [];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    const opened: Opened[] = [];
    for (const mount of step.mounts) {
      const one = await open(scope, mount, closers);
      if (one !== undefined) opened.push(one);
    }
    opened.push(...openScripts(scope, step, closers));
    return { requests: opened.map(({ request }) => request), targets: opened.map(({ target }) => target), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function open(scope: StepScope, mount: RunMount, closers: Closer[]): Promise<Opened | undefined> {
  switch (mount.type) {
    case "tmpfs": {
      const size = mount.sizeBytes === undefined ? {} : { TmpfsOptions: { SizeBytes: mount.sizeBytes } };
      return { request: { Type: "tmpfs", Target: mount.target, ...size }, target: mount.target };
    }
    case "cache":
      return await openCache(scope, mount, closers);
    case "bind":
      return await openBind(scope, mount, closers);
    case "secret":
    case "ssh": {
      if (!mount.isRequired) return undefined;
      const what = mount.type === "secret" ? `secret ${mount.id}` : `ssh agent ${mount.id}`;
      throw new FlotillaError("invalid", `${what}: not found: the classic build protocol carries neither secrets nor ssh agents`);
    }
  }
}

async function openCache(scope: StepScope, mount: Extract<RunMount, { type: "cache" }>, closers: Closer[]): Promise<Opened> {
  const { job } = scope;
  const use = await job.deps.mounts.acquire({
    namespace: job.request.namespace,
    id: mount.id,
    sharing: mount.sharing,
    owner: mount.owner,
    signal: job.signal,
  });
  closers.push(use.release);
  if (use.isNew && mount.from !== undefined) {
    // What the cache begins with.
    const source = await openSource(scope, mount.from);
    closers.push(() => source.close());
    cpSync(resolveInRoot(await source.root(), mount.source), use.directory, {
      recursive: true,
      preserveTimestamps: true,
      verbatimSymlinks: true,
    });
  }
  return bind({ source: use.directory, target: mount.target, isReadOnly: mount.isReadOnly });
}

/** Of a stage, an image, or the context. What is written to it is thrown away: stages and contexts are mounted as copies. */
async function openBind(scope: StepScope, mount: Extract<RunMount, { type: "bind" }>, closers: Closer[]): Promise<Opened> {
  const { job } = scope;
  if (mount.from !== undefined) {
    const source = await openSource(scope, mount.from);
    closers.push(() => source.close());
    return bind({ source: resolveInRoot(await source.root(), mount.source), target: mount.target, isReadOnly: mount.isReadOnly });
  }
  const scratch = job.deps.images.scratch();
  closers.push(() => scratch.discard());
  const root = join(scratch.path, "tree");
  mkdirSync(root);
  await job.deps.workers.run(
    {
      kind: "build-copy",
      root,
      sourceRoot: await job.context.directory(job.signal),
      items: { kind: "exact", items: [{ path: "", name: "" }] },
      destination: "/",
      keepsParents: false,
      owner: { uid: 0, gid: 0 },
      exclude: [],
      ignore: [...job.ignorePatterns],
    },
    undefined,
    job.signal,
  );
  return bind({ source: resolveInRoot(root, mount.source), target: mount.target, isReadOnly: mount.isReadOnly });
}

/** Here-documents with an interpreter line are files for this one step; a directory, since crun makes no file below /dev. */
function openScripts(scope: StepScope, step: RunStep, closers: Closer[]): Opened[] {
  const [first] = step.scripts;
  if (first === undefined) return [];
  const scratch = scope.job.deps.images.scratch();
  closers.push(() => scratch.discard());
  const source = join(scratch.path, "scripts");
  mkdirSync(source);
  for (const { path, content } of step.scripts) {
    const file = join(source, basename(path));
    writeFileSync(file, content);
    chmodSync(file, 0o755);
  }
  return [bind({ source, target: dirname(first.path), isReadOnly: true })];
}

function bind(mount: { source: string; target: string; isReadOnly: boolean }): Opened {
  return {
    request: { Type: "bind", Source: mount.source, Target: mount.target, ReadOnly: mount.isReadOnly },
    target: mount.target,
  };
}
