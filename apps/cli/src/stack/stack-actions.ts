import { FlotillaError } from "@flotilla/core";
import { z } from "zod";
import type { Output } from "../output.ts";
import { callProcedure } from "../remote/call-procedure.ts";
import { readCredentials } from "../remote/credentials.ts";
import { deployed, deploymentDetail, revisionDetail, stackDetail, type StackPlan, stackPlan, stackSummary } from "./answers.ts";
import { LogMerger, type LogOptions, type LogSource, type LogStream, openLog } from "./follow-logs.ts";
import { type FileOptions, loadFiles } from "./load-files.ts";
import { firstLine, formatDiff, formatPlan, formatTable, serviceState } from "./show.ts";
import { followDeployment } from "./wait-for-deployment.ts";

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
  let stack = "";
  const deployment = await followDeployment({
    read: async () => {
      const detail = await ask("query", "deployments.get", { input: { id }, output: deploymentDetail });
      stack = detail.stack;
      return detail;
    },
    readWaiting: async () => {
      const { detail } = await ask("query", "stacks.get", { input: { stack }, output: stackDetail });
      return detail.filter(({ reasons }) => reasons.some(({ code }) => code === "waits_for_approval")).map(({ name }) => name);
    },
    note: (text) => output.note(text),
  });
  const { outcome, message } = deployment;
  output.result(`${outcome}${message === "" ? "" : `: ${message}`}`, deployment);
  return outcome === "done" ? 0 : 1;
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
  const rows = detail.map((service) => {
    const { name, mode, running, wanted, image, ports, message } = service;
    const published = ports
      .map((port) => `${port.published === null ? "" : `*:${port.published}->`}${port.target}/${port.protocol}`)
      .join(", ");
    return [name, mode, serviceState(service), `${running}/${wanted}`, image, published, firstLine(message)];
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
      reason === "" ? progress : firstLine(reason),
    ];
  });
  output.result(formatTable(["REPLICA", "HOST", "STATE", "REVISION", "RESTARTS", "REASON"], rows), all);
}

export type LogsRequest = LogOptions & { service?: string };

/** Of the replicas that have a container; with `follow` also of those that are made meanwhile. The exit code is 1 when one could not be read. */
export async function showLogs(output: Output, stack: string, options: LogsRequest): Promise<number> {
  const sources = (): Promise<LogSource[]> => readLogSources(stack, options.service);
  if (output.isJson) {
    output.result("", await sources());
    return 0;
  }
  const credentials = readCredentials();
  const reading = {
    sources,
    open: (source: LogSource, query: Readonly<Record<string, string>>) => openLog(credentials, source, query),
    write: (stream: LogStream, line: string) => void process[stream].write(`${line}\n`),
    note: (text: string) => output.note(text),
    isColoured: process.stdout.isTTY,
  };
  return (await new LogMerger(reading, options).run()) > 0 ? 1 : 0;
}

async function readLogSources(stack: string, only: string | undefined): Promise<LogSource[]> {
  const { detail } = await ask("query", "stacks.get", { input: { stack }, output: stackDetail });
  const chosen = detail.filter(({ name }) => only === undefined || name === only);
  if (chosen.length === 0) throw new FlotillaError("not_found", `no such service: ${only ?? ""}`);
  return chosen.flatMap(({ name, replicas }) =>
    replicas.flatMap(({ slot, host, containerId, phase, restarts }) => {
      const label = `${name}.${/^\d+$/.test(slot) ? `${slot} ` : ""}${host.name}`;
      return containerId === null || phase === "lost" ? [] : [{ label, host: host.name, containerId, restarts }];
    }),
  );
}

/** @throws invalid. */
function revisionOf(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new FlotillaError("invalid", `a revision is a number from 1, not ${text}`);
  return Number(text);
}

export async function rollbackStack(output: Output, stack: string, options: { revision?: string; detach: boolean }): Promise<number> {
  const revision = options.revision === undefined ? {} : { revision: revisionOf(options.revision) };
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
    ask("query", "stacks.revision", { input: { stack, revision: revisionOf(revision) }, output: revisionDetail });
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
