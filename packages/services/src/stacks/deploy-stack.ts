import { composeError, type Project } from "@flotilla/compose";
import { FlotillaError } from "@flotilla/core";
import { Prisma, type Stack, type Transaction } from "@flotilla/db";
import { z } from "zod";
import type { Actor } from "../access/actor.ts";
import { requireUser } from "../access/authorize.ts";
import type { ObjectRef } from "../access/can.ts";
import { recordAudit } from "../audit/record.ts";
import type { ServiceContext } from "../context.ts";
import { notifyHostState } from "../host-state/notify-host-state.ts";
import { createOverlayIn } from "../networks/create-overlay.ts";
import { currentVersions, fileName, setFileIn } from "./files.ts";
import { STACK_LABEL } from "./orphan-networks.ts";
import { compareBasis, type PlannedStack, planStack, type StackPlan } from "./plan-stack.ts";
import { checkPorts, missingNetworks, readBasis, readPlanInput } from "./plan-input.ts";
import { sealSource } from "./revision-source.ts";
import { isOfOneHost, notesOfProject, refusalsOf } from "./service-policy.ts";
import { noteOf, type StackIssue, toStackIssue } from "./stack-issue.ts";
import { fileKey, filesOf, hashService, sealProject } from "./stack-model.ts";
import { AT_ONE_TIME, lockStacks, notifyStacks } from "./stack-rows.ts";
import { type LoadedStack, loadStack, stackInput, type StackInput, withPlaces } from "./stack-source.ts";

const MAX_SERVICES = 500;

const basis = z.object({ generation: z.int(), hosts: z.record(z.string(), z.string()), files: z.record(z.string(), z.string()) });

/** `basis`: of the plan that was seen; without it what is there now is taken as seen. */
export const deployInput = stackInput.extend({ basis: basis.optional() });
export type DeployInput = z.output<typeof deployInput>;

export type Deployed = { stackId: string; deploymentId: string; revision: number; plan: StackPlan };

/** Of a transaction that waits for its turn. */
export const PATIENT = { maxWait: 15_000, timeout: 60_000 } as const;

export function stackRef(stack: Pick<Stack, "id" | "name" | "teamId">): ObjectRef {
  return { kind: "stack", id: stack.id, name: stack.name, teamId: stack.teamId };
}

/** What applying would do. Changes nothing. @throws what applying would: invalid, conflict for a port that another service publishes. */
export async function planDeployment(services: ServiceContext, actor: Actor, input: StackInput): Promise<StackPlan> {
  const { team } = requireUser(actor);
  const loaded = await loadStack(services, team.id, input);
  checkProject(loaded);
  const scope = { services, teamId: team.id, project: loaded.project };
  const plan = await services.prisma.$transaction(async (tx) => {
    await checkPorts(tx, scope);
    await refuseMissingFiles(tx, { teamId: team.id, ...loaded });
    await refuseMissingNetworks(tx, scope);
    return planStack(await readPlanInput(tx, scope));
  }, AT_ONE_TIME);
  return withIssues(plan, loaded);
}

/** A plan that tells what its files say and no stack does, each with its place. Pure. */
function withIssues(plan: PlannedStack, loaded: LoadedStack): StackPlan {
  const issues = issuesOfStack(loaded);
  return { ...plan, issues, notes: issues.map(noteOf) };
}

/** What its files say and no stack does. Pure. */
export function issuesOfStack(loaded: LoadedStack): StackIssue[] {
  return [...loaded.issues, ...withPlaces(loaded, notesOfProject(loaded.project))].map(toStackIssue);
}

/** @throws invalid for what no stack can be, with each mistake and its place. */
export function checkProject(loaded: LoadedStack): void {
  const { project } = loaded;
  const names = Object.keys(project.services);
  if (names.length === 0) throw new FlotillaError("invalid", "the project has no services");
  if (names.length > MAX_SERVICES) throw new FlotillaError("invalid", `${names.length} services are more than ${MAX_SERVICES}`);
  const refusals = Object.entries(project.services).flatMap(([name, service]) => refusalsOf(name, service));
  if (refusals.length > 0) throw composeError(withPlaces(loaded, refusals));
}

/**
 * Makes a project the stack's newest revision and begins its rollout. All or nothing, and one at a time for a team.
 * @throws conflict when the plan is stale, with what changed; for a port that another service publishes; while the stack is being removed.
 */
export async function deployStack(services: ServiceContext, actor: Actor, input: DeployInput): Promise<Deployed> {
  const { team } = requireUser(actor);
  const loaded = await loadStack(services, team.id, input);
  checkProject(loaded);
  const { project } = loaded;
  return services.prisma.$transaction(async (tx) => {
    await lockStacks(tx, team.id);
    const now = new Date(services.nowMs());
    const found = await tx.stack.findUnique({ where: { teamId_name: { teamId: team.id, name: project.name } } });
    if (found !== null && found.removedAt !== null)
      throw new FlotillaError("conflict", `stack ${project.name} is being removed: wait until it is gone`);
    if (input.basis !== undefined) await refuseStale(tx, { teamId: team.id, project, basis: input.basis });
    await checkPorts(tx, { services, teamId: team.id, project });
    const stack = found ?? (await tx.stack.create({ data: { teamId: team.id, name: project.name, createdAt: now } }));
    await storeContents(tx, { services, actor, teamId: team.id, loaded });
    const plan = withIssues(planStack(await readPlanInput(tx, { services, teamId: team.id, project })), loaded);
    await makeNetworks(tx, { services, actor, teamId: team.id, project });
    const revision = await addRevision(tx, { services, actor, stack, loaded, now });
    await setTargets(tx, { stack, project, revision, now, files: plan.basis.files });
    const actorName = requireUser(actor).email;
    const deploymentId = await beginDeployment(tx, { stackId: stack.id, revision, kind: "deploy", actorName, plan, now });
    const detail = { verb: "deploy", revision, services: Object.keys(project.services).length };
    await recordAudit(tx, { actor, action: "stack.deploy", object: stackRef(stack), outcome: "ok", detail });
    await notifyStacks(tx, team.id);
    await notifyHostState(tx, { teamId: team.id });
    return { stackId: stack.id, deploymentId, revision, plan };
  }, PATIENT);
}

type Seen = { teamId: string; project: Project; basis: z.output<typeof basis> };

async function refuseStale(tx: Transaction, { teamId, project, basis: seen }: Seen): Promise<void> {
  const changes = compareBasis(seen, await readBasis(tx, teamId, project));
  if (changes.length === 0) return;
  throw new FlotillaError("conflict", `the plan is not of what is there any more, plan again: ${changes.join("; ")}`, {
    details: { changes },
  });
}

type Scope = { services: ServiceContext; actor: Actor; teamId: string };

/** Secrets and configs that came along, under the names that they have in the team. @throws invalid when others are missing. */
async function storeContents(tx: Transaction, { services, actor, teamId, loaded }: Scope & { loaded: LoadedStack }): Promise<void> {
  const { project, contents } = loaded;
  for (const kind of ["secret", "config"] as const) {
    const objects = kind === "secret" ? project.secrets : project.configs;
    for (const [key, object] of Object.entries(objects)) {
      const base64 = contents[fileKey(kind, key)];
      const name = fileName.safeParse(object.name);
      if (!name.success) throw new FlotillaError("invalid", `${kind}s.${key}.name: ${name.error.issues[0]?.message ?? "invalid"}`);
      if (base64 !== undefined && !object.isExternal) await setFileIn(tx, { services, actor, teamId, kind, name: name.data, base64 });
    }
  }
  await refuseMissingFiles(tx, { teamId, project, contents });
}

type NeedsFiles = { teamId: string; project: Project; contents?: LoadedStack["contents"] };

/** What services use must be in the team, or come along. @throws invalid. */
export async function refuseMissingFiles(tx: Transaction, { teamId, project, contents = {} }: NeedsFiles): Promise<void> {
  const brought = new Set(
    (["secret", "config"] as const).flatMap((kind) =>
      Object.entries(kind === "secret" ? project.secrets : project.configs)
        .filter(([key, { isExternal }]) => !isExternal && contents[fileKey(kind, key)] !== undefined)
        .map(([, { name }]) => fileKey(kind, name)),
    ),
  );
  const used = new Set(Object.values(project.services).flatMap((service) => filesOf(project, service)));
  const there = await currentVersions(tx, teamId, [...used]);
  const missing = [...used].filter((key) => !(key in there) && !brought.has(key)).toSorted();
  if (missing.length > 0)
    throw new FlotillaError("invalid", `there is no ${missing.map((key) => key.replace("/", " ")).join(", ")}: make it first`);
}

/** External networks must be there: over several hosts, or on the one host that its services are bound to. @throws invalid. */
export async function refuseMissingNetworks(tx: Transaction, { teamId, project }: { teamId: string; project: Project }): Promise<void> {
  for (const { key, network } of await missingNetworks(tx, teamId, project)) {
    if (!network.isExternal || isOfOneHost(project, key)) continue;
    throw new FlotillaError(
      "invalid",
      `networks.${key}: there is no network ${network.name} over several hosts; one of a single host needs services that are bound to it (node.hostname==NAME)`,
    );
  }
}

/** @throws invalid for an external one that is not there. */
export async function makeNetworks(tx: Transaction, { services, actor, teamId, project }: Scope & { project: Project }): Promise<void> {
  await refuseMissingNetworks(tx, { teamId, project });
  for (const { key, network } of await missingNetworks(tx, teamId, project)) {
    if (network.isExternal) continue;
    const [pool] = network.ipam?.pools ?? [];
    const labels = {
      ...network.labels,
      "com.docker.compose.project": project.name,
      "com.docker.compose.network": key,
      [STACK_LABEL]: project.name,
    };
    const request = {
      name: network.name,
      subnet: pool?.subnet ?? "",
      gateway: pool?.gateway ?? "",
      addressRange: pool?.ipRange ?? "",
      hasIpv6: network.enableIpv6 === true,
      subnet6: "",
      isInternal: network.isInternal,
      isAttachable: true,
      labels,
      options: network.driverOpts,
    };
    await createOverlayIn(tx, { services, actor, teamId, request });
  }
}

export type NewRevision = { services: ServiceContext; actor: Actor; stack: Stack; loaded: LoadedStack; now: Date };

/** The next revision of a stack. @returns its number. */
export async function addRevision(tx: Transaction, { services, actor, stack, loaded, now }: NewRevision): Promise<number> {
  const last = await tx.stackRevision.findFirst({ where: { stackId: stack.id }, orderBy: { number: "desc" }, select: { number: true } });
  const number = (last?.number ?? 0) + 1;
  const id = crypto.randomUUID();
  const sealed = sealProject(services, id, loaded.project);
  const createdBy = requireUser(actor).email;
  const sealedSource = sealSource(services, id, loaded.source);
  await tx.stackRevision.create({ data: { id, stackId: stack.id, number, sealedSource, sealed, createdBy, createdAt: now } });
  return number;
}

export type Targets = { stack: Stack; project: Project; revision: number; now: Date; files: Record<string, string>; rollsBack?: boolean };

/** Says of each service what it shall be; those that the project does not have go. */
export async function setTargets(tx: Transaction, { stack, project, revision, now, files, rollsBack = false }: Targets): Promise<void> {
  await tx.stack.update({ where: { id: stack.id }, data: { current: revision, generation: { increment: 1 } } });
  for (const [name, service] of Object.entries(project.services)) {
    const own = Object.fromEntries(filesOf(project, service).flatMap((key) => (files[key] === undefined ? [] : [[key, files[key]]])));
    const target = { revision, files: own, hash: hashService(project, name, own) };
    const state = {
      target,
      state: "rolling",
      message: "",
      reasons: Prisma.DbNull,
      rollsBack,
      isApproved: false,
      startedAt: now,
      isRemoved: false,
    };
    await tx.stackService.upsert({
      where: { stackId_name: { stackId: stack.id, name } },
      create: { stackId: stack.id, name, ...state },
      update: state,
    });
  }
  await tx.stackService.updateMany({
    where: { stackId: stack.id, name: { notIn: Object.keys(project.services) } },
    data: { isRemoved: true },
  });
}

export type NewDeployment = { stackId: string; revision: number; kind: string; actorName: string; plan: object; now: Date };

/** The deployment before it ends: what it began is taken over. */
export async function beginDeployment(tx: Transaction, { stackId, revision, kind, actorName, plan, now }: NewDeployment): Promise<string> {
  await tx.stackDeployment.updateMany({
    where: { stackId, outcome: { in: ["running", "paused"] } },
    data: { outcome: "superseded", finishedAt: now },
  });
  const row = await tx.stackDeployment.create({ data: { stackId, revision, kind, actorName, plan, startedAt: now } });
  return row.id;
}
