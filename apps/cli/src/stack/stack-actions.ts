import { setTimeout } from "node:timers/promises";
import { FlotillaError } from "@flotilla/core";
import { z } from "zod";
import type { Output } from "../output.ts";
import { callProcedure } from "../remote/call-procedure.ts";
import { readCredentials } from "../remote/credentials.ts";
import { deployed, deploymentDetail, revisionDetail, stackDetail, type StackPlan, stackPlan, stackSummary } from "./answers.ts";
import { followLogs, type LogOptions } from "./follow-logs.ts";
import { type FileOptions, loadFiles } from "./load-files.ts";
import { formatDiff, formatPlan, formatTable } from "./show.ts";

const POLL_MS = 300;
const empty = z.looseObject({});

/** Calls a procedure as who is signed in. */
export function ask<T extends z.ZodType>(
  kind: "query" | "mutation",
  path: string,
  how: { input?: unknown; output: T },
): Promise<z.output<T>> {
  return callProcedure(readCredentials(), { kind, path, ...how });
}

export async function planStack(output: Output, name: string, options: FileOptions): Promise<void> {
  const input = await loadFiles(name, options, (text) => output.note(text));
  const plan = await ask("mutation", "stacks.plan", { input, output: stackPlan });
  output.result(formatPlan(plan), plan);
}

/** Applies, and waits for the end unless `detach`. The exit code is 1 unless it ended well. */
export async function deployStack(output: Output, name: string, options: FileOptions & { detach: boolean }): Promise<number> {
  const input = await loadFiles(name, options, (text) => output.note(text));
  const plan: StackPlan = await ask("mutation", "stacks.plan", { input, output: stackPlan });
  if (!output.isJson) process.stdout.write(`${formatPlan(plan)}\n`);
  const { deploymentId, revision } = await ask("mutation", "stacks.deploy", { input: { ...input, basis: plan.basis }, output: deployed });
  output.note(`revision ${revision} of stack ${name} is being rolled out`);
  if (options.detach) {
    output.result(deploymentId, { deploymentId, revision });
    return 0;
  }
  return await waitFor(output, deploymentId);
}

/** Tells the steps of a deployment until it ends. The exit code is 1 unless it ended well. */
export async function waitFor(output: Output, id: string): Promise<number> {
  const seen = new Set<string>();
  for (;;) {
    const deployment = await ask("query", "deployments.get", { input: { id }, output: deploymentDetail });
    for (const step of deployment.steps) {
      if (seen.has(step.id)) continue;
      seen.add(step.id);
      output.note(`${step.service}: ${step.text}`);
    }
    if (deployment.outcome !== "running") {
      output.result(`${deployment.outcome}${deployment.message === "" ? "" : `: ${deployment.message}`}`, deployment);
      return deployment.outcome === "done" ? 0 : 1;
    }
    await setTimeout(POLL_MS);
  }
}

export async function listStacks(output: Output): Promise<void> {
  const stacks = await ask("query", "stacks.list", { output: z.array(stackSummary) });
  const rows = stacks.map(({ name, state, revision, services, running, wanted }) => [
    name,
    state,
    String(revision),
    String(services),
    `${running}/${wanted}`,
  ]);
  output.result(formatTable(["NAME", "STATE", "REVISION", "SERVICES", "REPLICAS"], rows), stacks);
}

export async function listServices(output: Output, stack: string): Promise<void> {
  const { detail } = await ask("query", "stacks.get", { input: { stack }, output: stackDetail });
  const rows = detail.map(({ name, mode, state, running, wanted, image, ports, message }) => {
    const published = ports
      .map((port) => `${port.published === null ? "" : `*:${port.published}->`}${port.target}/${port.protocol}`)
      .join(", ");
    return [name, mode, state, `${running}/${wanted}`, image, published, message.split("\n")[0] ?? ""];
  });
  output.result(formatTable(["NAME", "MODE", "STATE", "REPLICAS", "IMAGE", "PORTS", "MESSAGE"], rows), detail);
}

export async function listReplicas(output: Output, stack: string): Promise<void> {
  const { detail } = await ask("query", "stacks.get", { input: { stack }, output: stackDetail });
  const all = detail.flatMap((service) => service.replicas.map((replica) => ({ service: service.name, ...replica })));
  const rows = all.map(({ service, slot, host, state, phase, revision, restarts, reason, progress }) => {
    const name = `${service}.${/^\d+$/.test(slot) ? slot : host.name}`;
    return [
      name,
      host.name,
      state === "run" ? phase : `${phase} (${state})`,
      String(revision),
      String(restarts),
      reason === "" ? progress : (reason.split("\n")[0] ?? ""),
    ];
  });
  output.result(formatTable(["REPLICA", "HOST", "STATE", "REVISION", "RESTARTS", "REASON"], rows), all);
}

export type LogsRequest = LogOptions & { service?: string };

/** Of replicas that have a container when it is called. */
export async function showLogs(output: Output, stack: string, options: LogsRequest): Promise<void> {
  const { detail } = await ask("query", "stacks.get", { input: { stack }, output: stackDetail });
  const chosen = detail.filter(({ name }) => options.service === undefined || name === options.service);
  if (chosen.length === 0) throw new FlotillaError("not_found", `no such service: ${options.service ?? ""}`);
  const sources = chosen.flatMap(({ name, replicas }) =>
    replicas.flatMap(({ slot, host, containerId, phase }) => {
      const label = `${name}.${/^\d+$/.test(slot) ? `${slot} ` : ""}${host.name}`;
      return containerId === null || phase === "lost" ? [] : [{ label, host: host.name, containerId }];
    }),
  );
  if (output.isJson) output.result("", sources);
  else await followLogs(readCredentials(), sources, options);
}

export async function rollbackStack(output: Output, stack: string, options: { revision?: string; detach: boolean }): Promise<number> {
  const revision = options.revision === undefined ? {} : { revision: Number(options.revision) };
  const begun = await ask("mutation", "stacks.rollback", { input: { stack, ...revision }, output: deployed });
  output.note(`stack ${stack} goes back to revision ${begun.revision}`);
  if (!options.detach) return await waitFor(output, begun.deploymentId);
  output.result(begun.deploymentId, begun);
  return 0;
}

export async function removeStack(output: Output, stack: string): Promise<void> {
  await ask("mutation", "stacks.remove", { input: { stack }, output: empty });
  output.result(`stack ${stack} is being removed; its volumes stay`, { stack });
}

/** Two revisions, or the newest one and the one before. */
export async function diffStack(output: Output, stack: string, revisions: readonly string[]): Promise<void> {
  const { revision: current } = await ask("query", "stacks.get", { input: { stack }, output: stackDetail });
  const [from = String(current - 1), to = String(current)] = revisions;
  const read = (revision: string): Promise<z.output<typeof revisionDetail>> =>
    ask("query", "stacks.revision", { input: { stack, revision: Number(revision) }, output: revisionDetail });
  const [before, after] = [await read(from), await read(to)];
  const paths = [...new Set([...Object.keys(before.source), ...Object.keys(after.source)])].toSorted();
  const parts = paths.flatMap((path) => {
    const text = formatDiff(before.source[path] ?? "", after.source[path] ?? "");
    return text === "" ? [] : [`${path}\n${text}`];
  });
  output.result(parts.length === 0 ? `revisions ${from} and ${to} have the same files` : parts.join("\n\n"), { from: before, to: after });
}

export async function controlStack(output: Output, stack: string, options: { act: string; service?: string }): Promise<void> {
  const { act, service } = options;
  await ask("mutation", "services.control", { input: { stack, act, ...(service === undefined ? {} : { service }) }, output: empty });
  output.result(`${act}: done`, { stack, act });
}
