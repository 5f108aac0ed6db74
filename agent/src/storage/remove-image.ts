// `docker rmi`: a name goes first; the image follows when it was the last one and no container holds it. The order of the
// checks and their words are Docker's (daemon image_delete), because people and scripts know them.
import { FlotillaError } from "@flotilla/core";
import { formatFamiliar, repositoryOf, shortId, type Reference } from "@flotilla/image";
import type { ImageUse, StorageContext } from "./context.ts";
import type { ImageRecord } from "./image-records.ts";
import type { DeletedItem } from "./image-shapes.ts";

export type RemoveRequest = { namespace: string; reference: string; force: boolean };

/** @throws FlotillaError `not_found`, or `conflict` worded as Docker words it. */
export function removeImage(context: StorageContext, request: RemoveRequest): DeletedItem[] {
  const { record, name } = context.records.resolve(request.namespace, request.reference);
  return name === undefined ? removeById(context, { record, force: request.force }) : removeByName(context, { record, name, request });
}

function removeByName(context: StorageContext, from: { record: ImageRecord; name: Reference; request: RemoveRequest }): DeletedItem[] {
  const { record, name, request } = from;
  const names = context.records.names(record).map((other) => other.reference);
  const isLast = isSingleReference(names);
  const [use] = context.usage(record.namespace, record.id);
  if (isLast && use !== undefined && !request.force) {
    const reference = `repository reference "${formatFamiliar(name)}"`;
    throw new FlotillaError(
      "conflict",
      `conflict: unable to remove ${reference} (must force) - container ${shortId(use.containerId)} is using its referenced image ${shortId(record.id)}`,
    );
  }
  const deleted = [untag(context, record, name), ...untagDigests(context, record, name)];
  // Forced while in use: only the name goes, and the image stays for its container.
  if (context.records.names(record).length > 0 || use !== undefined) return deleted;
  return [...deleted, ...deleteImage(context, record)];
}

/** One tag, with or without the digest by which the same repository knows it, or one digest: what a person calls one name. */
function isSingleReference(names: readonly Reference[]): boolean {
  const tags = names.filter((name) => name.digest === undefined);
  const repositories = new Set(names.map(repositoryOf));
  return tags.length <= 1 && repositories.size <= 1;
}

/** With the last tag of a repository its digests go too: nobody gave those names. */
function untagDigests(context: StorageContext, record: ImageRecord, removed: Reference): DeletedItem[] {
  if (removed.digest !== undefined) return [];
  const rest = context.records.names(record).map(({ reference }) => reference);
  const same = rest.filter((name) => repositoryOf(name) === repositoryOf(removed));
  if (same.some((name) => name.digest === undefined)) return [];
  return same.map((name) => untag(context, record, name));
}

function removeById(context: StorageContext, { record, force }: { record: ImageRecord; force: boolean }): DeletedItem[] {
  const names = context.records.names(record).map((name) => name.reference);
  const uses = context.usage(record.namespace, record.id);
  const reason = conflictOf(uses, { force, isSingle: isSingleReference(names) });
  if (reason !== undefined) throw new FlotillaError("conflict", `conflict: unable to delete ${shortId(record.id)} ${reason}`);
  return [...names.map((name) => untag(context, record, name)), ...deleteImage(context, record)];
}

function conflictOf(uses: readonly ImageUse[], image: { force: boolean; isSingle: boolean }): string | undefined {
  const running = uses.find((use) => use.isRunning);
  if (running !== undefined) return `(cannot be forced) - image is being used by running container ${shortId(running.containerId)}`;
  if (image.force) return undefined;
  if (!image.isSingle) return "(must be forced) - image is referenced in multiple repositories";
  const [stopped] = uses;
  return stopped === undefined ? undefined : `(must be forced) - image is being used by stopped container ${shortId(stopped.containerId)}`;
}

function untag(context: StorageContext, record: ImageRecord, name: Reference): DeletedItem {
  context.records.removeName(record.namespace, name);
  const shown = formatFamiliar(name);
  context.publish("untag", record, shown);
  return { Untagged: shown };
}

/** Deletes the image and whatever of it nothing else uses. Names must be gone or go with it. */
export function deleteImage(context: StorageContext, record: ImageRecord): DeletedItem[] {
  context.records.remove(record);
  const { chainIds } = context.collector.collect();
  context.publish("delete", record, record.id);
  return [record.id, ...chainIds].map((id) => ({ Deleted: id }));
}
