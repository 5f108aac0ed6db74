import { retentionPolicy } from "@flotilla/services";
import { z } from "zod";
import { nothing, route, texts, time } from "../route.ts";

const REPOSITORY = "/registry/repositories/{repository}";

const repository = z.object({
  path: z.string(),
  isPublic: z.boolean(),
  description: z.string(),
  tags: z.number(),
  manifests: z.number(),
  sizeBytes: z.number(),
  createdAt: time,
  pushedAt: time.nullable(),
});
const tag = z.object({
  name: z.string(),
  digest: z.string(),
  mediaType: z.string(),
  sizeBytes: z.number(),
  platforms: z.array(z.string()),
  pushedBy: z.string(),
  pushedAt: time,
  pulledAt: time.nullable(),
});
const upstream = z.object({
  name: z.string(),
  url: z.string(),
  username: z.string().nullable(),
  hasPassword: z.boolean(),
  hasCa: z.boolean(),
  tokenServer: z.string().nullable(),
  allowsPrivate: z.boolean(),
  tagTtlSeconds: z.number(),
  keepDays: z.number(),
  createdAt: time,
  reachedAt: time.nullable(),
  lastError: z.string().nullable(),
  repositories: z.number(),
  sizeBytes: z.number(),
});

const REPOSITORIES = [
  route("registry.repositories.list", {
    method: "GET",
    path: "/registry/repositories",
    summary: "Repositories of the team",
    output: z.array(repository),
    list: (item) => item.path,
  }),
  route("registry.repositories.get", {
    method: "GET",
    path: REPOSITORY,
    summary: "A repository with its rules",
    output: repository.extend({ immutableTags: z.string().nullable(), retention: retentionPolicy }),
  }),
  route("registry.repositories.create", {
    method: "POST",
    path: "/registry/repositories",
    summary: "Make an empty repository",
    output: nothing,
    isCreation: true,
  }),
  route("registry.repositories.update", { method: "PATCH", path: REPOSITORY, summary: "Change a repository", output: nothing }),
  route("registry.repositories.delete", { method: "DELETE", path: REPOSITORY, summary: "Remove a repository", output: nothing }),
  route("registry.tags.list", {
    method: "GET",
    path: `${REPOSITORY}/tags`,
    summary: "Tags of a repository",
    output: z.array(tag),
    list: (item) => item.name,
  }),
  route("registry.tags.delete", { method: "DELETE", path: `${REPOSITORY}/tags/{tag}`, summary: "Remove a tag", output: nothing }),
  route("registry.manifests.get", {
    method: "GET",
    path: `${REPOSITORY}/manifests/{reference}`,
    summary: "A manifest by tag or digest",
    output: z.looseObject({
      digest: z.string(),
      mediaType: z.string(),
      artifactType: z.string().nullable(),
      subject: z.string().nullable(),
      annotations: texts,
      size: z.number(),
      tags: z.array(z.string()),
    }),
  }),
  route("registry.manifests.delete", {
    method: "DELETE",
    path: `${REPOSITORY}/manifests/{reference}`,
    fields: { reference: "digest" },
    summary: "Remove a manifest by its digest",
    output: nothing,
  }),
  route("registry.retention.preview", {
    method: "POST",
    path: `${REPOSITORY}/retention/preview`,
    summary: "What retention would remove",
    output: z.object({
      tags: z.array(z.object({ name: z.string(), digest: z.string(), pushedAt: time })),
      manifests: z.array(z.object({ digest: z.string(), size: z.number(), pushedAt: time })),
    }),
  }),
  route("registry.retention.run", {
    method: "POST",
    path: `${REPOSITORY}/retention/run`,
    summary: "Remove what retention says",
    output: z.object({ tags: z.number(), manifests: z.number() }),
  }),
] as const;

const UPKEEP = [
  route("registry.cleanup.preview", {
    method: "GET",
    path: "/registry/cleanup/preview",
    summary: "What a clean-up would free",
    output: z.object({ blobs: z.number(), bytes: z.number(), leasedBlobs: z.number(), leasedBytes: z.number() }),
  }),
  route("registry.cleanup.status", {
    method: "GET",
    path: "/registry/cleanup",
    summary: "How far the newest clean-up is",
    output: z
      .object({
        id: z.string(),
        startedBy: z.string(),
        startedAt: time,
        finishedAt: time.nullable(),
        phase: z.string(),
        checked: z.number(),
        total: z.number(),
        deletedBlobs: z.number(),
        freedBytes: z.number(),
        error: z.string().nullable(),
      })
      .nullable(),
  }),
  route("registry.cleanup.start", {
    method: "POST",
    path: "/registry/cleanup",
    summary: "Start a clean-up",
    output: z.object({ id: z.string() }),
    isCreation: true,
  }),
  route("registry.usage.get", {
    method: "GET",
    path: "/registry/usage",
    summary: "What the team's images take, and its limit",
    output: z.object({ usedBytes: z.number(), uploadBytes: z.number(), limitBytes: z.number().nullable(), repositories: z.number() }),
  }),
  route("registry.usage.setQuota", { method: "PUT", path: "/registry/quota", summary: "Set or lift the limit", output: nothing }),
  route("registry.upstreams.list", {
    method: "GET",
    path: "/registry/upstreams",
    summary: "Registries whose images are pulled through this one",
    output: z.array(upstream),
    list: (item) => item.name,
  }),
  route("registry.upstreams.create", {
    method: "POST",
    path: "/registry/upstreams",
    summary: "Add an upstream registry",
    output: nothing,
    isCreation: true,
  }),
  route("registry.upstreams.test", {
    method: "POST",
    path: "/registry/upstreams/{name}/test",
    summary: "Whether an upstream answers and takes the credentials",
    output: z.object({ isReached: z.boolean(), message: z.string().nullable() }),
  }),
  route("registry.upstreams.remove", {
    method: "DELETE",
    path: "/registry/upstreams/{name}",
    summary: "Remove an upstream registry",
    output: nothing,
  }),
] as const;

export const REGISTRY_ROUTES = [...REPOSITORIES, ...UPKEEP] as const;
