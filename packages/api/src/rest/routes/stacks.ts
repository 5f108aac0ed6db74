import { z } from "zod";
import { hostBrief, nothing, perHost, route, texts, time } from "../route.ts";

const deployment = z.object({
  id: z.string(),
  stack: z.string(),
  revision: z.number(),
  kind: z.string(),
  actor: z.string(),
  outcome: z.string(),
  message: z.string(),
  startedAt: time,
  finishedAt: time.nullable(),
});
const stack = z.object({
  id: z.string(),
  name: z.string(),
  generation: z.number(),
  revision: z.number(),
  state: z.string(),
  services: z.number(),
  wanted: z.number(),
  running: z.number(),
  createdAt: time,
  isRemoving: z.boolean(),
  hosts: z.array(z.string()),
  last: deployment.nullable(),
});
const revision = z.object({ number: z.number(), createdBy: z.string(), createdAt: time });
const said = z.looseObject({ code: z.string(), values: z.record(z.string(), z.union([z.string(), z.number()])) });
/** `text` is a sentence; `path`, `said` and `suggestion` are the same as data. */
const issue = z.object({
  severity: z.enum(["error", "warning"]),
  text: z.string(),
  file: z.string().nullable(),
  line: z.number(),
  column: z.number(),
  path: z.string(),
  said,
  suggestion: z.string().nullable(),
});
const plan = z.object({
  services: z.array(z.looseObject({ name: z.string(), change: z.string(), reasons: z.array(z.string()) })),
  networks: z.array(z.string()),
  notes: z.array(z.string()),
  issues: z.array(issue),
  basis: z.object({ generation: z.number(), hosts: texts, files: texts }),
});
const adoption = z.object({
  project: z.string(),
  host: hostBrief,
  services: z.array(z.looseObject({ name: z.string(), replicas: z.array(z.looseObject({ slot: z.string(), act: z.string() })) })),
  left: z.array(z.looseObject({ container: z.string(), service: z.string(), because: z.string() })),
  networks: z.array(z.string()),
  volumes: z.array(z.string()),
  variables: z.array(z.string()),
  source: z.string(),
  notes: z.array(z.string()),
  issues: z.array(issue),
  basis: z.string(),
});
const moves = z.object({ moves: z.array(z.looseObject({ from: z.string(), to: z.string() })) });
const file = z.object({
  id: z.string(),
  name: z.string(),
  versions: z.number(),
  sizeBytes: z.number(),
  updatedAt: time,
  usedBy: z.array(z.object({ stack: z.string(), service: z.string() })),
});
const version = z.object({ version: z.number() });

const STACKS = [
  route("stacks.list", { method: "GET", path: "/stacks", summary: "Stacks of the team", output: z.array(stack), list: (item) => item.id }),
  route("stacks.get", {
    method: "GET",
    path: "/stacks/{stack}",
    summary: "A stack with its services, replicas and revisions",
    output: stack.extend({
      detail: z.array(z.looseObject({ name: z.string(), state: z.string() })),
      revisions: z.array(revision),
      notes: z.array(z.string()),
      issues: z.array(issue),
    }),
  }),
  route("stacks.revision", {
    method: "GET",
    path: "/stacks/{stack}/revisions/{revision}",
    summary: "The files of a revision as they were written",
    output: revision.extend({ source: texts }),
  }),
  route("stacks.plan", { method: "POST", path: "/stack-plans", summary: "What deploying files would do; changes nothing", output: plan }),
  route("stacks.check", {
    method: "POST",
    path: "/stack-checks",
    summary: "Mistakes of files, each with its place",
    output: z.array(issue),
  }),
  route("stacks.composeKeys", {
    method: "GET",
    path: "/compose-keys",
    summary: "Keys that a compose file may have",
    output: z.array(z.object({ path: z.string(), note: z.string(), said: said.nullable() })),
    list: (item) => item.path,
  }),
  route("stacks.deploy", {
    method: "POST",
    path: "/stacks",
    summary: "Deploy files as a new revision",
    output: z.object({ stackId: z.string(), deploymentId: z.string(), revision: z.number(), plan }),
    isCreation: true,
  }),
  route("stacks.outside", {
    method: "GET",
    path: "/compose-projects",
    summary: "Compose projects that run on hosts and belong to no stack",
    output: perHost({ project: z.string(), running: z.number(), containers: z.number(), canAdopt: z.boolean() }),
    list: (item) => `${item.host.id} ${item.project}`,
  }),
  route("stacks.adoptionPlan", {
    method: "GET",
    path: "/compose-projects/{host}/{project}",
    summary: "What making a stack of a compose project would do; changes nothing",
    output: adoption,
  }),
  route("stacks.adopt", {
    method: "POST",
    path: "/compose-projects/{host}/{project}/adopt",
    summary: "Make a compose project that runs a stack",
    output: z.object({ stackId: z.string(), deploymentId: z.string(), revision: z.number(), plan: adoption }),
  }),
  route("stacks.variables", {
    method: "GET",
    path: "/stacks/{stack}/variables",
    summary: "Names of the stored variables of a stack",
    output: z.array(z.string()),
    list: (item) => item,
  }),
  route("stacks.setVariables", {
    method: "PATCH",
    path: "/stacks/{stack}/variables",
    summary: "Store or remove variables; they count with the next plan",
    output: nothing,
  }),
  route("stacks.rollback", {
    method: "POST",
    path: "/stacks/{stack}/rollback",
    summary: "Go back to an earlier revision",
    output: z.object({ deploymentId: z.string(), revision: z.number() }),
  }),
  route("stacks.remove", { method: "DELETE", path: "/stacks/{stack}", summary: "Remove a stack; its volumes stay", output: nothing }),
  route("stacks.replicaHistory", {
    method: "GET",
    path: "/stacks/{stack}/replicas/{replica}/history",
    summary: "The phases that a replica was in, the newest first",
    output: z.array(z.object({ id: z.string(), time, phase: z.string(), reason: z.string() })),
  }),
  route("stacks.rebalancePlan", {
    method: "GET",
    path: "/stacks/{stack}/rebalance",
    summary: "Which replicas a rebalance would move",
    output: moves,
  }),
  route("stacks.rebalance", { method: "POST", path: "/stacks/{stack}/rebalance", summary: "Move replicas", output: moves }),
  route("services.control", {
    method: "POST",
    path: "/stacks/{stack}/control",
    summary: "Pause, continue, abort or approve a rollout",
    output: nothing,
  }),
] as const;

const DEPLOYMENTS = [
  route("deployments.list", {
    method: "GET",
    path: "/deployments",
    summary: "Deployments, newest first",
    output: z.object({ items: z.array(deployment), nextCursor: z.string().nullable() }),
    list: "own",
  }),
  route("deployments.get", {
    method: "GET",
    path: "/deployments/{id}",
    summary: "A deployment with its plan and steps",
    output: deployment.extend({ plan: z.unknown().optional(), steps: z.array(z.looseObject({ id: z.string(), text: z.string() })) }),
  }),
] as const;

const FILES = [
  route("secrets.list", {
    method: "GET",
    path: "/secrets",
    summary: "Secrets of the team, never their content",
    output: z.array(file),
    list: (item) => item.id,
  }),
  route("secrets.set", { method: "PUT", path: "/secrets/{name}", summary: "Write a new version of a secret", output: version }),
  route("secrets.remove", { method: "DELETE", path: "/secrets/{name}", summary: "Remove a secret that nothing uses", output: nothing }),
  route("configs.list", {
    method: "GET",
    path: "/configs",
    summary: "Configs of the team",
    output: z.array(file),
    list: (item) => item.id,
  }),
  route("configs.set", { method: "PUT", path: "/configs/{name}", summary: "Write a new version of a config", output: version }),
  route("configs.remove", { method: "DELETE", path: "/configs/{name}", summary: "Remove a config that nothing uses", output: nothing }),
] as const;

export const STACK_ROUTES = [...STACKS, ...DEPLOYMENTS, ...FILES] as const;
