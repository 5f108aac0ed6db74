import { FlotillaError } from "@flotilla/core";
import { formatFamiliar, parseReference, withDefaultTag } from "@flotilla/image";
import type { StorageContext } from "./context.ts";

export type TagRequest = { namespace: string; source: string; repository: string; tag: string };

/** `docker tag`. An image that had the name before keeps the rest of its names, or stays without one. */
export function tagImage(context: StorageContext, request: TagRequest): void {
  const { record } = context.records.resolve(request.namespace, request.source);
  const target = withDefaultTag(parseReference(request.tag === "" ? request.repository : `${request.repository}:${request.tag}`));
  if (target.digest !== undefined) throw new FlotillaError("invalid", "refusing to create a tag with a digest reference");
  context.records.setName(record, target);
  context.publish("tag", record, formatFamiliar(target));
}
