import { listSupport, type Message } from "@flotilla/compose";
import { FlotillaError } from "@flotilla/core";
import type { Actor } from "../access/actor.ts";
import { requireUser } from "../access/authorize.ts";
import type { ServiceContext } from "../context.ts";
import { issuesOfStack } from "./deploy-stack.ts";
import { refusalsOf } from "./service-policy.ts";
import { inReadingOrder, issuesOf, type StackIssue, toStackIssue } from "./stack-issue.ts";
import { loadStack, type StackInput, withPlaces } from "./stack-source.ts";

/** What is wrong with files that are still being written, each with its place; nothing is planned. */
export async function checkStack(services: ServiceContext, actor: Actor, input: StackInput): Promise<StackIssue[]> {
  const { team } = requireUser(actor);
  try {
    const loaded = await loadStack(services, team.id, input);
    const refusals = Object.entries(loaded.project.services).flatMap(([name, service]) => refusalsOf(name, service));
    // What cannot be done has no notes: they are of what would be done.
    const told = refusals.length === 0 ? issuesOfStack(loaded) : loaded.issues.map(toStackIssue);
    return inReadingOrder([...withPlaces(loaded, refusals).map(toStackIssue), ...told]);
  } catch (error) {
    if (!(error instanceof FlotillaError) || (error.code !== "invalid" && error.code !== "too_large")) throw error;
    return inReadingOrder(issuesOf(error).map(toStackIssue));
  }
}

/** A key that a compose file may have: `services.ports.target`, names that people choose left out; and what a stack makes of it. */
export type ComposeKey = { path: string; note: string; said: Message | null };

export function listComposeKeys(): ComposeKey[] {
  return listSupport().map(({ path, onHosts, note = null }) => ({ path, note: onHosts === "yes" ? "" : onHosts, said: note }));
}
