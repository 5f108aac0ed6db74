import { z } from "zod";
import type { Actor } from "../access/actor.ts";
import { audited } from "../audit/record.ts";
import type { ServiceContext } from "../context.ts";
import { askHosts, type HostBrief, type HostList, openHost } from "../engine/ask-hosts.ts";
import { engineDo, engineJson, engineList } from "../engine/engine-call.ts";
import { orAbsent } from "../engine/lenient.ts";

export const volumeName = z
  .string()
  .min(1)
  .max(255)
  .regex(/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/, "must begin with a letter or digit, and hold letters, digits, . _ - only");

export const volume = z.looseObject({
  Name: z.string(),
  Driver: z.string(),
  Mountpoint: z.string(),
  CreatedAt: orAbsent(z.string()),
  Scope: z.string().default("local"),
  Labels: orAbsent(z.record(z.string(), z.string())),
  Options: orAbsent(z.record(z.string(), z.string())),
  UsageData: orAbsent(z.object({ Size: z.number(), RefCount: z.number() })),
});
export type Volume = z.output<typeof volume>;
export type VolumeRow = Volume & { host: HostBrief };

const volumeList = z.object({ Volumes: z.array(volume).nullish() });

export function listVolumes(services: ServiceContext, actor: Actor, input: { host?: string | undefined }): Promise<HostList<Volume>> {
  return askHosts(services, actor, {
    host: input.host,
    action: "volume.read",
    ask: async (link, namespace) =>
      (await engineList(services.links, link, { namespace, path: "/volumes", schema: volumeList })).Volumes ?? [],
  });
}

export async function inspectVolume(services: ServiceContext, actor: Actor, ref: { host: string; name: string }): Promise<VolumeRow> {
  const { link, namespace, brief } = await openHost(services, actor, ref.host);
  const found = await engineJson(link, { namespace, method: "GET", path: `/volumes/${encodeURIComponent(ref.name)}` }, volume);
  return { ...found, host: brief };
}

export async function createVolume(
  services: ServiceContext,
  actor: Actor,
  input: { host: string; name?: string | undefined; labels: Record<string, string> },
): Promise<VolumeRow> {
  const { link, namespace, brief, host } = await openHost(services, actor, input.host);
  const object = { kind: "volume" as const, id: input.name ?? "", name: `${host.name}/${input.name ?? ""}`, teamId: host.seenBy };
  const body = { Name: input.name ?? "", Driver: "local", Labels: input.labels };
  const made = await audited(services, { actor, action: "volume.change", object }, () =>
    engineJson(link, { namespace, method: "POST", path: "/volumes/create", body }, volume),
  );
  return { ...made, host: brief };
}

export async function removeVolume(
  services: ServiceContext,
  actor: Actor,
  input: { host: string; name: string; force: boolean },
): Promise<void> {
  const { link, namespace, host } = await openHost(services, actor, input.host);
  const object = { kind: "volume" as const, id: input.name, name: `${host.name}/${input.name}`, teamId: host.seenBy };
  const path = `/volumes/${encodeURIComponent(input.name)}?force=${input.force ? 1 : 0}`;
  await audited(services, { actor, action: "volume.remove", object, detail: { force: input.force } }, () =>
    engineDo(link, { namespace, method: "DELETE", path }),
  );
}
