import type { Transaction } from "@flotilla/db";
import { formatReason, reason } from "@flotilla/planner";
import { z } from "zod";
import type { Actor } from "../access/actor.ts";
import { notFound, requireUser } from "../access/authorize.ts";
import type { ObjectRef } from "../access/can.ts";
import { openText, sealText } from "../access/secrets.ts";
import { recordAudit } from "../audit/record.ts";
import type { ServiceContext } from "../context.ts";
import { notifyHostState } from "../host-state/notify-host-state.ts";
import { fileKey, hashService, Projects, serviceTarget } from "./stack-model.ts";
import { lockStacks, notifyStacks, tellPages } from "./stack-rows.ts";
import { FlotillaError } from "@flotilla/core";

export type FileKind = "secret" | "config";
const MAX_BYTES = 500 * 1_024;

export const fileName = z
  .string()
  .regex(/^[a-zA-Z0-9][a-zA-Z0-9._-]{0,127}$/, "must be letters, digits, . _ - and begin with a letter or digit");
export const fileRef = z.object({ name: fileName });
/** Content as base64, so that it may be any bytes. */
export const fileContent = z.object({ name: fileName, base64: z.base64().max(Math.ceil((MAX_BYTES * 4) / 3) + 4) });

export type FileRow = {
  id: string;
  name: string;
  versions: number;
  sizeBytes: number;
  updatedAt: string;
  usedBy: { stack: string; service: string }[];
};

/** What an act on a secret or config is about. @throws not_found. */
export async function fileObject(services: ServiceContext, actor: Actor, file: { kind: FileKind; name: string }): Promise<ObjectRef> {
  const { team } = requireUser(actor);
  const row = await services.prisma.stackFile.findUnique({ where: { teamId_kind_name: { teamId: team.id, ...file } } });
  if (row === null) throw notFound(file.kind, file.name);
  return { kind: file.kind, id: row.id, name: row.name, teamId: row.teamId };
}

/** Never with a content: what is in there is only ever told to hosts. */
export async function listFiles(services: ServiceContext, actor: Actor, kind: FileKind): Promise<FileRow[]> {
  const { team } = requireUser(actor);
  const rows = await services.prisma.stackFile.findMany({
    where: { teamId: team.id, kind },
    include: { versions: { orderBy: { version: "desc" }, select: { version: true, sizeBytes: true, createdAt: true } } },
    orderBy: { name: "asc" },
  });
  const users = await readUsers(services.prisma, team.id);
  return rows.map(({ id, name, versions, createdAt }) => ({
    id,
    name,
    versions: versions[0]?.version ?? 0,
    sizeBytes: versions[0]?.sizeBytes ?? 0,
    updatedAt: (versions[0]?.createdAt ?? createdAt).toISOString(),
    usedBy: users.filter(({ files }) => fileKey(kind, name) in files).map(({ stack, service }) => ({ stack, service })),
  }));
}

/** `mayReturnTo`: the files of the version that a rollout goes back to when it fails, or is aborted. */
type User = {
  id: string;
  stack: string;
  stackId: string;
  service: string;
  files: Record<string, string>;
  mayReturnTo: Record<string, string>;
};

async function readUsers(tx: ServiceContext["prisma"] | Transaction, teamId: string): Promise<User[]> {
  const rows = await tx.stackService.findMany({
    where: { stack: { teamId }, isRemoved: false },
    include: { stack: { select: { name: true } } },
  });
  return rows.map(({ id, name, target, stable, state, stack, stackId }) => ({
    id,
    stack: stack.name,
    stackId,
    service: name,
    files: serviceTarget.parse(target).files,
    mayReturnTo: state === "done" || stable === null ? {} : serviceTarget.parse(stable).files,
  }));
}

/** A new version of a secret or config; the services that use it are rolled by themselves. The same content once more is nothing new. */
export async function setFile(
  services: ServiceContext,
  actor: Actor,
  file: { kind: FileKind; name: string; base64: string },
): Promise<{ version: number }> {
  const { team } = requireUser(actor);
  return services.prisma.$transaction(async (tx) => {
    await lockStacks(tx, team.id);
    const { version, isNew } = await setFileIn(tx, { services, actor, teamId: team.id, ...file });
    if (isNew) await rollUsers(tx, { services, actor, teamId: team.id, kind: file.kind, name: file.name });
    await notifyStacks(tx, team.id);
    await notifyHostState(tx, { teamId: team.id });
    return { version };
  });
}

type SetFile = { services: ServiceContext; actor: Actor; teamId: string; kind: FileKind; name: string; base64: string };

/** Under the lock of the team's stacks. */
export async function setFileIn(
  tx: Transaction,
  { services, actor, teamId, kind, name, base64 }: SetFile,
): Promise<{ id: string; version: number; isNew: boolean }> {
  const sizeBytes = Buffer.from(base64, "base64").length;
  if (sizeBytes > MAX_BYTES) throw new FlotillaError("too_large", `${kind} ${name} is larger than ${MAX_BYTES / 1_024} KiB`);
  const key = services.registry.sealKey;
  const file = await tx.stackFile.upsert({
    where: { teamId_kind_name: { teamId, kind, name } },
    create: { teamId, kind, name },
    update: {},
  });
  const last = await tx.stackFileVersion.findFirst({ where: { fileId: file.id }, orderBy: { version: "desc" } });
  if (last !== null && isSame(key, last, base64)) return { id: last.id, version: last.version, isNew: false };
  const id = crypto.randomUUID();
  const version = (last?.version ?? 0) + 1;
  const createdBy = actor.kind === "user" ? actor.email : actor.kind;
  await tx.stackFileVersion.create({ data: { id, fileId: file.id, version, sealed: sealText(key, base64, id), sizeBytes, createdBy } });
  const object: ObjectRef = { kind, id: file.id, name, teamId };
  await recordAudit(tx, {
    actor,
    action: `${kind}.change`,
    object,
    outcome: "ok",
    detail: { verb: last === null ? "create" : "update", version },
  });
  return { id, version, isNew: last !== null };
}

/** What cannot be read is another content. */
function isSame(key: Uint8Array, { id, sealed }: { id: string; sealed: Uint8Array }, base64: string): boolean {
  try {
    return openText(key, sealed, id) === base64;
  } catch {
    return false;
  }
}

type Roll = { services: ServiceContext; actor: Actor; teamId: string; kind: FileKind; name: string };

async function rollUsers(tx: Transaction, { services, actor, teamId, kind, name }: Roll): Promise<void> {
  const key = fileKey(kind, name);
  const users = (await readUsers(tx, teamId)).filter(({ files }) => key in files);
  const projects = new Projects(services, tx);
  const now = new Date(services.nowMs());
  for (const [stackId, ofStack] of Map.groupBy(users, (user) => user.stackId)) {
    const stack = await tx.stack.update({ where: { id: stackId }, data: { generation: { increment: 1 } } });
    for (const { id, service } of ofStack) {
      const row = await tx.stackService.findUniqueOrThrow({ where: { id } });
      const before = serviceTarget.parse(row.target);
      const files = { ...before.files, ...(await currentVersions(tx, teamId, [key])) };
      const project = await projects.find(stackId, before.revision);
      // It has the new version as soon as it has a revision that can be read.
      if (project instanceof FlotillaError) continue;
      const hash = hashService(project, service, files);
      const target = { ...before, files, hash };
      await tx.stackService.update({
        where: { id },
        data: { target, state: "rolling", rollsBack: false, isApproved: false, startedAt: now },
      });
    }
    const actorName = actor.kind === "user" ? actor.email : actor.kind;
    const why = reason(`${kind}_changed`, { name });
    const plan = { reason: formatReason(why), reasons: [why], services: ofStack.map(({ service }) => service) };
    await tx.stackDeployment.updateMany({
      where: { stackId, outcome: { in: ["running", "paused"] } },
      data: { outcome: "superseded", finishedAt: now },
    });
    await tx.stackDeployment.create({ data: { stackId, revision: stack.current, kind: "file", actorName, plan, startedAt: now } });
  }
}

/** Ids of the newest versions, by `secret/NAME`. What does not exist is left out. */
export async function currentVersions(tx: Transaction, teamId: string, keys: readonly string[]): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const key of keys) {
    const kind = key.slice(0, key.indexOf("/"));
    const name = key.slice(kind.length + 1);
    const version = await tx.stackFileVersion.findFirst({
      where: { file: { teamId, kind, name } },
      orderBy: { version: "desc" },
      select: { id: true },
    });
    if (version !== null) found[key] = version.id;
  }
  return found;
}

/** @throws conflict while a service uses it. */
export async function removeFile(services: ServiceContext, actor: Actor, file: { kind: FileKind; name: string }): Promise<void> {
  const { team } = requireUser(actor);
  await services.prisma.$transaction(async (tx) => {
    await lockStacks(tx, team.id);
    const row = await tx.stackFile.findUnique({
      where: { teamId_kind_name: { teamId: team.id, ...file } },
      include: { versions: { select: { id: true } } },
    });
    if (row === null) throw notFound(file.kind, file.name);
    const ids = new Set(row.versions.map(({ id }) => id));
    const replicas = await tx.stackReplica.findMany({ where: { service: { stack: { teamId: team.id } } }, select: { target: true } });
    const key = fileKey(file.kind, file.name);
    const users = (await readUsers(tx, team.id)).filter(({ files, mayReturnTo }) => key in files || key in mayReturnTo);
    const isMounted = replicas.some(({ target }) => Object.values(serviceTarget.parse(target).files).some((id) => ids.has(id)));
    if (users.length > 0 || isMounted) {
      const names = users.map(({ stack, service }) => `${stack}/${service}`).join(", ");
      throw new FlotillaError(
        "conflict",
        `${file.kind} ${file.name} is in use by ${names === "" ? "replicas that are being stopped" : names}`,
      );
    }
    await tx.stackFile.delete({ where: { id: row.id } });
    const object: ObjectRef = { kind: file.kind, id: row.id, name: row.name, teamId: team.id };
    await recordAudit(tx, { actor, action: `${file.kind}.remove`, object, outcome: "ok" });
    await tellPages(tx, team.id);
  });
}
