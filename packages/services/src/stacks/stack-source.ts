// From what somebody wrote or loaded to the project that counts.
import { type ComposeIssue, loadProject, Project } from "@flotilla/compose";
import { FlotillaError } from "@flotilla/core";
import { z } from "zod";
import { openText, sealText } from "../access/secrets.ts";
import type { ServiceContext } from "../context.ts";
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

export type LoadedStack = { project: Project; source: Record<string, string>; contents: Record<string, string>; issues: ComposeIssue[] };

/** @throws invalid with every mistake and its place, one a line. */
export async function loadStack(services: ServiceContext, teamId: string, input: StackInput): Promise<LoadedStack> {
  const { files, name } = input;
  if (JSON.stringify(files).length > MAX_SOURCE_BYTES) throw new FlotillaError("too_large", "the files are larger than 1 MiB");
  if (input.project !== undefined) return withContents({ ...input.project, name }, { input, issues: [] });
  const [first] = Object.keys(files);
  if (first === undefined) throw new FlotillaError("invalid", "there is no compose file");
  const stored = await readVariables(services, { teamId, stack: name });
  const compose = input.compose.length === 0 ? [first] : input.compose;
  const loaded = await loadSource({ name, files, compose, variables: { ...stored, ...input.variables }, profiles: input.profiles });
  return withContents(loaded.project, { input, issues: loaded.issues });
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
export async function loadSource(source: Source): Promise<{ project: Project; issues: ComposeIssue[] }> {
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
    const { project, warnings } = await loadProject(request, { read });
    return { project, issues: warnings };
  } catch (error) {
    if (!(error instanceof FlotillaError)) throw error;
    // Places are named as the files were sent.
    throw new FlotillaError(error.code, error.message.replaceAll(`${ROOT}/`, ""), { cause: error, details: error.details });
  }
}

/** A file of the project under the name that it was sent with. */
export const inputPath = (absolute: string): string => relative(absolute);

const relative = (absolute: string): string => (absolute.startsWith(`${ROOT}/`) ? absolute.slice(ROOT.length + 1) : absolute);

function withContents(project: Project, { input, issues }: { input: StackInput; issues: ComposeIssue[] }): LoadedStack {
  const contents: Record<string, string> = {};
  for (const kind of ["secret", "config"] as const) {
    for (const [key, object] of Object.entries(kind === "secret" ? project.secrets : project.configs)) {
      const text = object.content ?? (object.file === undefined ? undefined : input.files[relative(object.file)]);
      const base64 = input.contents[fileKey(kind, key)] ?? (text === undefined ? undefined : Buffer.from(text).toString("base64"));
      if (base64 !== undefined) contents[fileKey(kind, key)] = base64;
    }
  }
  return { project, source: input.files, contents, issues };
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
