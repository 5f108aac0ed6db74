import { isFlotillaError } from "@flotilla/core";
import { z } from "zod";
import type { Actor } from "../access/actor.ts";
import { audited } from "../audit/record.ts";
import type { ServiceContext } from "../context.ts";
import { askHosts, type HostBrief, type HostList, openHost } from "../engine/ask-hosts.ts";
import { engineDo, engineJson, engineList } from "../engine/engine-call.ts";
import type { HostLink } from "../engine/host-links.ts";
import { orAbsent } from "../engine/lenient.ts";
import { encodeReference, splitReference } from "./image-names.ts";

/** Image in inputs: a reference or id. */
export const imageRef = z
  .string()
  .min(1)
  .max(512)
  .regex(/^[a-zA-Z0-9][a-zA-Z0-9._/:@+-]*$/, "must be an image's name or id");

/** One row of `GET /images/json`. Sizes in bytes, Created in seconds since the epoch. */
export const imageSummary = z.looseObject({
  Id: z.string(),
  RepoTags: z
    .array(z.string())
    .nullish()
    .transform((tags) => tags ?? []),
  RepoDigests: z
    .array(z.string())
    .nullish()
    .transform((digests) => digests ?? []),
  Created: z.number(),
  Size: z.number(),
  Containers: z.number().default(-1),
  Labels: orAbsent(z.record(z.string(), z.string())),
});
export type ImageSummary = z.output<typeof imageSummary>;

const imageUse = z.object({ id: z.string(), lastUsedAt: z.iso.datetime().nullable(), isNeverUsed: z.boolean() });
const imageUses = z.object({ images: z.array(imageUse) });
/** When a container of the image was last created or started, or a build stood on it. Neither is set when that is not known. */
export type ImageUse = { lastUsedAt: string | null; isNeverUsed: boolean };
export type ListedImage = ImageSummary & ImageUse;
export type ImageRow = ListedImage & { host: HostBrief };

const NOT_KNOWN: ImageUse = { lastUsedAt: null, isNeverUsed: false };

export const imageInspect = z.looseObject({
  Id: z.string(),
  RepoTags: z
    .array(z.string())
    .nullish()
    .transform((tags) => tags ?? []),
  RepoDigests: z
    .array(z.string())
    .nullish()
    .transform((digests) => digests ?? []),
  Created: orAbsent(z.string()),
  Size: z.number(),
  Architecture: orAbsent(z.string()),
  Os: orAbsent(z.string()),
  Author: orAbsent(z.string()),
  Config: orAbsent(
    z.looseObject({
      User: orAbsent(z.string()),
      Env: orAbsent(z.array(z.string())),
      Cmd: orAbsent(z.array(z.string())),
      Entrypoint: orAbsent(z.array(z.string())),
      WorkingDir: orAbsent(z.string()),
      ExposedPorts: orAbsent(z.record(z.string(), z.unknown())),
      Volumes: orAbsent(z.record(z.string(), z.unknown())),
      Labels: orAbsent(z.record(z.string(), z.string())),
    }),
  ),
  RootFS: orAbsent(z.looseObject({ Type: z.string(), Layers: orAbsent(z.array(z.string())) })),
});
export type ImageInspect = z.output<typeof imageInspect>;

export const imageHistoryEntry = z.looseObject({
  Id: z.string(),
  Created: z.number(),
  CreatedBy: z.string(),
  Size: z.number(),
  Comment: z.string().default(""),
  Tags: orAbsent(z.array(z.string())),
});
export type ImageHistoryEntry = z.output<typeof imageHistoryEntry>;

const removal = z.object({ Untagged: orAbsent(z.string()), Deleted: orAbsent(z.string()) });
export type ImageRemoval = z.output<typeof removal>;

type Ref = { host: string; id: string };

export function listImages(services: ServiceContext, actor: Actor, input: { host?: string | undefined }): Promise<HostList<ListedImage>> {
  return askHosts(services, actor, {
    host: input.host,
    action: "image.read",
    ask: async (link, namespace) => {
      const [images, uses] = await Promise.all([
        engineList(services.links, link, { namespace, path: "/images/json", schema: z.array(imageSummary) }),
        readUses(link, namespace),
      ]);
      return images.map((image) => ({ ...image, ...(uses.get(image.Id) ?? NOT_KNOWN) }));
    },
  });
}

/** By image id. A host with an older agent has no such call: nothing is known of its images. */
async function readUses(link: HostLink, namespace: string): Promise<Map<string, ImageUse>> {
  try {
    const { images } = await engineJson(link, { namespace, method: "GET", path: "/flotilla/v1/images/usage" }, imageUses);
    return new Map(images.map(({ id, ...use }) => [id, use]));
  } catch (error) {
    if (isFlotillaError(error, "not_found")) return new Map();
    throw error;
  }
}

export async function inspectImage(services: ServiceContext, actor: Actor, ref: Ref): Promise<ImageInspect & { host: HostBrief }> {
  const { link, namespace, brief } = await openHost(services, actor, ref.host);
  const image = await engineJson(link, { namespace, method: "GET", path: `/images/${encodeReference(ref.id)}/json` }, imageInspect);
  return { ...image, host: brief };
}

/** Layers and instructions, newest first. */
export async function historyOfImage(services: ServiceContext, actor: Actor, ref: Ref): Promise<ImageHistoryEntry[]> {
  const { link, namespace } = await openHost(services, actor, ref.host);
  return engineJson(link, { namespace, method: "GET", path: `/images/${encodeReference(ref.id)}/history` }, z.array(imageHistoryEntry));
}

export async function removeImage(services: ServiceContext, actor: Actor, input: Ref & { force: boolean }): Promise<ImageRemoval[]> {
  const { link, namespace, host } = await openHost(services, actor, input.host);
  const object = { kind: "image" as const, id: input.id, name: `${host.name}/${input.id}`, teamId: host.seenBy };
  const path = `/images/${encodeReference(input.id)}?force=${input.force ? 1 : 0}`;
  return audited(services, { actor, action: "image.remove", object, detail: { force: input.force } }, () =>
    engineJson(link, { namespace, method: "DELETE", path }, z.array(removal)),
  );
}

/** Gives an image one more name, as `docker tag` does. */
export async function tagImage(services: ServiceContext, actor: Actor, input: Ref & { name: string }): Promise<void> {
  const { link, namespace, host } = await openHost(services, actor, input.host);
  const object = { kind: "image" as const, id: input.id, name: `${host.name}/${input.id}`, teamId: host.seenBy };
  const { repository, tag } = splitReference(input.name);
  const query = new URLSearchParams({ repo: repository, tag: tag ?? "latest" });
  await audited(services, { actor, action: "image.tag", object, detail: { name: input.name } }, () =>
    engineDo(link, { namespace, method: "POST", path: `/images/${encodeReference(input.id)}/tag?${query.toString()}` }),
  );
}
