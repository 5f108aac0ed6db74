import { randomUUID, X509Certificate } from "node:crypto";
import { FlotillaError, toFlotillaError } from "@flotilla/core";
import { Prisma, type RegistryUpstream } from "@flotilla/db";
import { z } from "zod";
import type { Actor } from "../../access/actor.ts";
import { notFound, requireUser } from "../../access/authorize.ts";
import type { ObjectRef } from "../../access/can.ts";
import { sealText } from "../../access/secrets.ts";
import { recordAudit } from "../../audit/record.ts";
import type { ServiceContext } from "../../context.ts";
import { detachChildren } from "../links.ts";
import { isRepositoryPath } from "../names.ts";
import { domainOf } from "./upstream-settings.ts";

export type UpstreamRow = {
  name: string;
  url: string;
  username: string | null;
  hasPassword: boolean;
  hasCa: boolean;
  tokenServer: string | null;
  allowsPrivate: boolean;
  tagTtlSeconds: number;
  keepDays: number;
  createdAt: string;
  reachedAt: string | null;
  lastError: string | null;
  /** What is cached of it: repositories, and bytes of their blobs, each once. */
  repositories: number;
  sizeBytes: number;
};

/** An origin: no path, no credentials, no query. */
const origin = z
  .string()
  .max(300)
  .refine((text) => URL.canParse(text) && /^https?:\/\/[^/?#@\s]+\/?$/.test(text), "must be like https://registry.example.org")
  .transform((text) => new URL(text).origin);

export const upstreamName = z
  .string()
  .max(60)
  .refine(
    (text) => !text.includes("/") && isRepositoryPath(`team/${text}`),
    "must be lower-case letters, digits and separators, without a slash",
  );
export const upstreamInput = z.object({ name: upstreamName });

export const newUpstream = upstreamInput
  .extend({
    url: origin,
    username: z.string().min(1).max(200).optional(),
    password: z.string().min(1).max(8_192).optional(),
    ca: z.string().max(100_000).refine(isAuthority, "must be certificates in PEM form").optional(),
    tokenServer: origin.optional(),
    allowsPrivate: z.boolean().default(false),
    tagTtlSeconds: z
      .int()
      .min(0)
      .max(30 * 86_400)
      .default(300),
    keepDays: z.int().min(1).max(3_650).default(30),
  })
  .refine(({ username, password }) => (username === undefined) === (password === undefined), "a name and a password belong together")
  .refine(
    ({ url, allowsPrivate }) => url.startsWith("https:") || allowsPrivate,
    "plain HTTP is for private addresses: allow them for this upstream, or use https",
  );

const sizes = z.array(z.object({ upstream_id: z.string(), repositories: z.coerce.number(), size: z.coerce.number() }));

/** The upstreams of the caller's team. Passwords are never told. */
export async function listUpstreams(services: ServiceContext, actor: Actor): Promise<UpstreamRow[]> {
  const { team } = requireUser(actor);
  const upstreams = await services.prisma.registryUpstream.findMany({ where: { teamId: team.id }, orderBy: { name: "asc" } });
  const rows = sizes.parse(
    await services.prisma.$queryRaw(Prisma.sql`
      SELECT r.upstream_id, COUNT(DISTINCT r.id)::float8 AS repositories, COALESCE(SUM(b.size), 0)::float8 AS size
      FROM registry_repositories r LEFT JOIN LATERAL
        (SELECT SUM(b.size) AS size FROM registry_links l JOIN registry_blobs b ON b.digest = l.digest WHERE l.repository_id = r.id) b ON true
      WHERE r.team_id = ${team.id} AND r.upstream_id IS NOT NULL GROUP BY r.upstream_id`),
  );
  return upstreams.map((upstream) => {
    const cached = rows.find((row) => row.upstream_id === upstream.id);
    return { ...toRow(upstream), repositories: cached?.repositories ?? 0, sizeBytes: cached?.size ?? 0 };
  });
}

function toRow(upstream: RegistryUpstream): Omit<UpstreamRow, "repositories" | "sizeBytes"> {
  const { name, url, username, tokenServer, allowsPrivate, tagTtlSeconds, keepDays, lastError } = upstream;
  return {
    name,
    url,
    username,
    hasPassword: upstream.sealedPassword !== null,
    hasCa: upstream.ca !== null,
    tokenServer,
    allowsPrivate,
    tagTtlSeconds,
    keepDays,
    createdAt: upstream.createdAt.toISOString(),
    reachedAt: upstream.reachedAt?.toISOString() ?? null,
    lastError,
  };
}

/** Adds an upstream. @throws conflict when its name, or a repository below it, is there already. */
export async function createUpstream(services: ServiceContext, actor: Actor, input: z.output<typeof newUpstream>): Promise<void> {
  const { team } = requireUser(actor);
  const { name, url, password, allowsPrivate } = input;
  const id = randomUUID();
  const sealedPassword = password === undefined ? null : sealText(services.registry.sealKey, password, `registry upstream ${id}`);
  await services.prisma.$transaction(async (tx) => {
    const inTheWay = await tx.registryRepository.findFirst({ where: { teamId: team.id, path: { startsWith: `${team.slug}/${name}/` } } });
    if (inTheWay !== null) throw new FlotillaError("conflict", `there is a repository ${inTheWay.path} already: choose another name`);
    const { count } = await tx.registryUpstream.createMany({
      data: [
        {
          id,
          teamId: team.id,
          name,
          url,
          username: input.username ?? null,
          sealedPassword,
          ca: input.ca ?? null,
          tokenServer: input.tokenServer ?? null,
          allowsPrivate,
          tagTtlSeconds: input.tagTtlSeconds,
          keepDays: input.keepDays,
        },
      ],
      skipDuplicates: true,
    });
    if (count === 0) throw new FlotillaError("conflict", `there is an upstream ${name} already`);
    await recordAudit(tx, {
      actor,
      action: "registry.manage",
      object: objectOf(team.id),
      outcome: "ok",
      detail: { upstream: name, url, allowsPrivate },
    });
  });
  services.cache.clear();
}

/** Removes an upstream and all that was cached of it; the bytes go with the next clean-up. @throws not_found */
export async function removeUpstream(services: ServiceContext, actor: Actor, name: string): Promise<void> {
  const { team } = requireUser(actor);
  await services.prisma.$transaction(async (tx) => {
    await detachChildren(tx, { upstream: { teamId: team.id, name } });
    const { count } = await tx.registryUpstream.deleteMany({ where: { teamId: team.id, name } });
    if (count === 0) throw notFound("upstream", name);
    await recordAudit(tx, {
      actor,
      action: "registry.manage",
      object: objectOf(team.id),
      outcome: "ok",
      detail: { upstream: name, removed: true },
    });
  });
  services.cache.clear();
}

export type UpstreamTest = { isReached: boolean; message: string | null };

/** Whether the upstream answers as a registry and takes the credentials: as `docker login` asks. @throws not_found */
export async function testUpstream(services: ServiceContext, actor: Actor, name: string): Promise<UpstreamTest> {
  const { team } = requireUser(actor);
  const { prisma, registry } = services;
  const upstream = await prisma.registryUpstream.findUnique({ where: { teamId_name: { teamId: team.id, name } } });
  if (upstream === null) throw notFound("upstream", name);
  let message: string | null = null;
  try {
    using client = registry.upstreams.open(upstream);
    await client.checkLogin(domainOf(upstream), undefined, registry.upstreams.signal);
  } catch (error) {
    ({ message } = toFlotillaError(error));
  }
  const data = message === null ? { reachedAt: new Date(services.nowMs()), lastError: null } : { lastError: message.slice(0, 500) };
  await prisma.registryUpstream.updateMany({ where: { id: upstream.id }, data });
  return { isReached: message === null, message };
}

function objectOf(teamId: string): ObjectRef {
  return { kind: "registry", id: teamId, name: "registry", teamId };
}

function isAuthority(pem: string): boolean {
  try {
    return new X509Certificate(pem).subject !== "";
  } catch {
    return false;
  }
}
