import { FlotillaError } from "@flotilla/core";
import { familiarRepository, formatCanonical, formatFamiliar, type Reference } from "@flotilla/image";
import { listTags, resolveImage, type ResolvedImage } from "@flotilla/registry";
import { openRegistries, remoteOf, type DistributionContext, type PullRequest } from "./context.ts";
import { fetchImage } from "./fetch-image.ts";
import type { Emit } from "./progress-stream.ts";
import { SharedRepository } from "./shared-repository.ts";

/** A pull whose first manifest is there: what can be refused with a status was. Call `run` once, or `abandon`. */
export type StagedPull = {
  run(emit: Emit): Promise<void>;
  abandon(): void;
};

const MAX_TAGS = 10_000;
const TAGS_PAGE = 1000;

/** First half of `docker pull`. @throws FlotillaError in Docker's words: no such repository, tag or platform, no access. */
export async function stagePull(context: DistributionContext, request: PullRequest): Promise<StagedPull> {
  const { reference, signal, credentials } = request;
  const { client, registries } = await openRegistries(context);
  const shared = new SharedRepository(
    await client.open({ reference: remoteOf(reference, registries), action: "pull", credentials, signal }),
  );
  const release = shared.retain();
  try {
    const names = await namesOf(shared, request);
    const [first] = names;
    if (first === undefined) throw new FlotillaError("not_found", `repository ${familiarRepository(reference)} has no tags`);
    const resolved = await resolve(shared, request, first);
    return { abandon: release, run: (emit) => runPull(context, { request, shared, names, resolved, emit }).finally(release) };
  } catch (error) {
    release();
    throw error;
  }
}

async function namesOf({ repository }: SharedRepository, { reference, signal }: PullRequest): Promise<Reference[]> {
  if (reference.digest !== undefined) return [{ ...reference, tag: undefined }];
  if (reference.tag !== undefined) return [reference];
  const tags = await listTags(repository, { pageSize: TAGS_PAGE, maxTags: MAX_TAGS, signal });
  return tags.map((tag) => ({ ...reference, tag }));
}

async function resolve({ repository }: SharedRepository, request: PullRequest, name: Reference): Promise<ResolvedImage> {
  return resolveImage(repository, { reference: name, platform: request.platform, signal: request.signal });
}

type Run = { request: PullRequest; shared: SharedRepository; names: readonly Reference[]; resolved: ResolvedImage; emit: Emit };

async function runPull(context: DistributionContext, run: Run): Promise<void> {
  const { request, shared, names, emit } = run;
  let isNewer = false;
  for (const [index, name] of names.entries()) {
    const resolved = index === 0 ? run.resolved : await resolve(shared, request, name);
    if (await pullOne(context, { ...run, name, resolved })) isNewer = true;
  }
  const shown =
    request.reference.tag === undefined && request.reference.digest === undefined
      ? familiarRepository(request.reference)
      : formatFamiliar(names[0] ?? request.reference);
  emit({ status: isNewer ? `Status: Downloaded newer image for ${shown}` : `Status: Image is up to date for ${shown}` });
}

/** @returns whether the name leads to another image than before. */
async function pullOne(context: DistributionContext, one: Run & { name: Reference }): Promise<boolean> {
  const { request, shared, name, resolved, emit } = one;
  const { namespace } = request;
  const { records, events, leases, collector } = context.store;
  emit({ status: `Pulling from ${name.path}`, id: name.tag ?? resolved.root.digest });
  const lease = leases.open();
  try {
    const record = await fetchImage(context, { request, shared, resolved, lease, emit });
    emit({ status: `Digest: ${resolved.root.digest}` });
    const before = records.findName(namespace, formatCanonical(name))?.image_id;
    records.setName(record, { ...name, tag: undefined, digest: resolved.root.digest });
    if (name.tag !== undefined) records.setName(record, name);
    const attributes = { ...record.config.config?.Labels, name: familiarRepository(name) };
    events.publish({ namespace, type: "image", action: "pull", id: formatFamiliar(name), attributes });
    return before !== record.id;
  } finally {
    lease.release();
    collector.collect();
  }
}
