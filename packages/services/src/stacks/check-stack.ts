import { type ComposeIssue, listSupport } from "@flotilla/compose";
import { FlotillaError } from "@flotilla/core";
import { z } from "zod";
import type { Actor } from "../access/actor.ts";
import { requireUser } from "../access/authorize.ts";
import type { ServiceContext } from "../context.ts";
import { checkService } from "./service-policy.ts";
import { inputPath, loadStack, type StackInput } from "./stack-source.ts";

/** `file` as it was sent; without a place for what is not of one line. Lines and columns begin at 1. */
export type StackIssue = { severity: "error" | "warning"; text: string; file: string | null; line: number; column: number };

const issueList = z.array(
  z.object({
    severity: z.enum(["error", "warning"]),
    message: z.string(),
    path: z.string(),
    position: z.object({ file: z.string(), line: z.number(), column: z.number() }).optional(),
    suggestion: z.string().optional(),
  }),
);

/** What is wrong with files that are still being written, each with its place; nothing is planned. */
export async function checkStack(services: ServiceContext, actor: Actor, input: StackInput): Promise<StackIssue[]> {
  const { team } = requireUser(actor);
  try {
    const { project, issues } = await loadStack(services, team.id, input);
    for (const [name, service] of Object.entries(project.services)) checkService(name, service);
    return issues.map(toStackIssue);
  } catch (error) {
    if (!(error instanceof FlotillaError) || (error.code !== "invalid" && error.code !== "too_large")) throw error;
    const issues = issueList.safeParse(error.details["issues"]);
    if (issues.success && issues.data.length > 0) return issues.data.map((issue) => toStackIssue(issue));
    return [{ severity: "error", text: error.message, file: null, line: 1, column: 1 }];
  }
}

type Found = Pick<ComposeIssue, "severity" | "message" | "path"> & {
  position?: ComposeIssue["position"] | undefined;
  suggestion?: string | undefined;
};

/** Pure. */
export function toStackIssue({ severity, message, path, position, suggestion }: Found): StackIssue {
  const meant = suggestion === undefined ? "" : `; did you mean '${suggestion}'?`;
  const text = `${path === "" ? "" : `${path}: `}${message}${meant}`;
  return {
    severity,
    text,
    file: position === undefined ? null : inputPath(position.file),
    line: position?.line ?? 1,
    column: position?.column ?? 1,
  };
}

/** A key that a compose file may have: `services.ports.target`, names that people choose left out; and what a stack makes of it. */
export type ComposeKey = { path: string; note: string };

export function listComposeKeys(): ComposeKey[] {
  return listSupport().map(({ path, onHosts }) => ({ path, note: onHosts === "yes" ? "" : onHosts }));
}
