// From what somebody wrote or loaded to the project that counts.
import { type ComposeIssue, loadProject, Project } from "@flotilla/compose";
import { FlotillaError } from "@flotilla/core";
import { z } from "zod";
import { openText, sealText } from "../access/secrets.ts";
import type { ServiceContext } from "../context.ts";
import { issuesOf } from "./stack-issue.ts";
import { fileKey } from "./stack-model.ts";

export const stackName = z
  .string()
  .max(63)
  .regex(/^[a-z0-9][a-z0-9_-]*$/, "must be lower-case letters, digits, - and _, and begin with a letter or digit");
const MAX_SOURCE_BYTES = 1_024 * 1_024;
/** Where files that come as text count as being. */
const ROOT = "/stack";

const path = z
  .string()
  .max(1_024)
  .regex(/^(?!\/)(?!.*\.\.(\/|$))[^\0]+$/, "must be a relative path without ..");
const variables = z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.string().max(65_536));

/**
 * A project to be planned or applied: as files, by relative path, of which `compose` are the compose files (the first one when empty), or loaded
 * already, when the files are there for people only.
 */
export const stackInput = z.object({
  name: stackName,
  files: z.record(path, z.string().max(MAX_SOURCE_BYTES)).default({}),
  compose: z.array(path).max(16).default([]),
  project: Project.optional(),
  /** Beside those that the stack has; not kept. */
  variables: variables.default({}),
  profiles: z.array(z.string().max(128)).max(64).default([]),
  /** Contents of secrets and configs that come with the project, base64, by `secret/KEY` and `config/KEY` of the project. */
  contents: z.record(z.string().regex(/^(secret|config)\//), z.base64().max(700_000)).default({}),
});
export type StackInput = z.output<typeof stackInput>;

type PositionOf = (path: string) => ComposeIssue["position"];

/** `positionOf`: where a key is written, files named as they were sent. */
export type LoadedStack = {
  project: Project;
  source: Record<string, string>;
  contents: Record<string, string>;
  issues: ComposeIssue[];
  positionOf: PositionOf;
};

/** @throws invalid with every mistake and its place, one a line. */
export async function loadStack(services: ServiceContext, teamId: string, input: StackInput): Promise<LoadedStack> {
  const { files, name } = input;
  if (JSON.stringify(files).length > MAX_SOURCE_BYTES) throw new FlotillaError("too_large", "the files are larger than 1 MiB");
  if (input.project !== undefined) {
    const loaded = { project: { ...input.project, name }, issues: [], positionOf: (): undefined => undefined };
    return { ...loaded, source: files, contents: contentsOf(loaded.project, input) };
  }
  const [first] = Object.keys(files);
  if (first === undefined) throw new FlotillaError("invalid", "there is no compose file");
  const stored = await readVariables(services, { teamId, stack: name });
  const compose = input.compose.length === 0 ? [first] : input.compose;
  const loaded = await loadSource({ name, files, compose, variables: { ...stored, ...input.variables }, profiles: input.profiles });
  return { ...loaded, source: files, contents: contentsOf(loaded.project, input) };
}

type Source = {
  name: string;
  files: Readonly<Record<string, string>>;
  /** Paths of the compose files. */
  compose?: readonly string[];
  variables: Readonly<Record<string, string>>;
  profiles?: readonly string[];
};

/** The project of files that come as text. @throws invalid with every mistake and its place. */
export async function loadSource(source: Source): Promise<Pick<LoadedStack, "project" | "issues" | "positionOf">> {
  const { name, files, variables, profiles = [], compose = Object.keys(files) } = source;
  const request = {
    workingDir: ROOT,
    files: compose.map((each) => `${ROOT}/${each}`),
    projectName: name,
    environment: variables,
    profiles,
    target: "stack",
  } as const;
  const read = async (absolute: string): Promise<string | undefined> => {
    return Object.hasOwn(files, relative(absolute)) ? files[relative(absolute)] : undefined;
  };
  try {
    const { project, warnings, positionOf } = await loadProject(request, { read });
    return { project, issues: warnings.map(asSent), positionOf: (at) => sentPosition(positionOf(at)) };
  } catch (error) {
    if (!(error instanceof FlotillaError)) throw error;
    // Places are named as the files were sent.
    const sent = error.message.replaceAll(`${ROOT}/`, "");
    const issues = "issues" in error.details ? issuesOf(error).map(asSent) : undefined;
    throw new FlotillaError(error.code, sent, { cause: error, details: issues === undefined ? error.details : { issues } });
  }
}

/** Issues of a project's keys, each with the place where its key is written. */
export function withPlaces({ positionOf }: Pick<LoadedStack, "positionOf">, issues: readonly ComposeIssue[]): ComposeIssue[] {
  return issues.map((issue) => {
    const position = issue.position ?? positionOf(issue.path);
    return position === undefined ? issue : { ...issue, position };
  });
}

const sentPosition = (position: ComposeIssue["position"]): ComposeIssue["position"] =>
  position === undefined ? undefined : { ...position, file: relative(position.file) };

/** An issue that names files as they were sent: no other path means anything to whoever sent them. */
function asSent(issue: ComposeIssue): ComposeIssue {
  const position = sentPosition(issue.position);
  const values = Object.entries(issue.said.values).map(([key, value]) => {
    return [key, typeof value === "string" ? value.replaceAll(`${ROOT}/`, "") : value] as const;
  });
  const said = { ...issue.said, values: Object.fromEntries(values) };
  const message = issue.message.replaceAll(`${ROOT}/`, "");
  return { ...issue, message, said, ...(position === undefined ? {} : { position }) };
}

const relative = (absolute: string): string => (absolute.startsWith(`${ROOT}/`) ? absolute.slice(ROOT.length + 1) : absolute);

function contentsOf(project: Project, input: StackInput): Record<string, string> {
  const contents: Record<string, string> = {};
  for (const kind of ["secret", "config"] as const) {
    for (const [key, object] of Object.entries(kind === "secret" ? project.secrets : project.configs)) {
      const text = object.content ?? (object.file === undefined ? undefined : input.files[relative(object.file)]);
      const base64 = input.contents[fileKey(kind, key)] ?? (text === undefined ? undefined : Buffer.from(text).toString("base64"));
      if (base64 !== undefined) contents[fileKey(kind, key)] = base64;
    }
  }
  return contents;
}

async function readVariables(
  services: ServiceContext,
  { teamId, stack }: { teamId: string; stack: string },
): Promise<Record<string, string>> {
  const rows = await services.prisma.stackVariable.findMany({ where: { stack: { teamId, name: stack } } });
  return Object.fromEntries(
    rows.map(({ stackId, name, sealed }) => [name, openText(services.registry.sealKey, sealed, `${stackId}/${name}`)]),
  );
}

/** A variable as its row. */
export function sealVariable(
  services: ServiceContext,
  { stackId, name, value }: { stackId: string; name: string; value: string },
): Uint8Array<ArrayBuffer> {
  return sealText(services.registry.sealKey, value, `${stackId}/${name}`);
}
