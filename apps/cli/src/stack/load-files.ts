import { readFile } from "node:fs/promises";
import { basename, isAbsolute, relative, resolve } from "node:path";
import { loadProject, type Project } from "@flotilla/compose";
import { FlotillaError } from "@flotilla/core";

export type FileOptions = { composeFile?: string[]; envFile?: string[]; profile?: string[] };
/** What `stacks.plan` and `stacks.deploy` take. */
export type StackInput = { name: string; project: Project; files: Record<string, string>; contents: Record<string, string> };

const MISSING = new Set(["ENOENT", "ENOTDIR"]);

async function read(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && MISSING.has(String(error.code))) return undefined;
    throw error;
  }
}

/**
 * Loads a project from the disk, with the contents of the secrets and configs that are files or variables here.
 * @throws invalid with every mistake and its place.
 */
export async function loadFiles(name: string, options: FileOptions, note: (text: string) => void): Promise<StackInput> {
  const cwd = process.cwd();
  const loaded = await loadProject(
    {
      workingDir: cwd,
      files: options.composeFile ?? [],
      projectName: name,
      environment: process.env,
      envFiles: options.envFile?.map((path) => resolve(cwd, path)),
      profiles: options.profile,
      target: "stack",
    },
    { read },
  );
  for (const { path, message } of loaded.warnings) note(`warning: ${path === "" ? "" : `${path}: `}${message}`);
  const texts = await Promise.all(loaded.files.map(async (path) => [shownPath(cwd, path), (await read(path)) ?? ""] as const));
  return { name, project: loaded.project, files: Object.fromEntries(texts), contents: await readContents(loaded.project) };
}

function shownPath(cwd: string, path: string): string {
  const short = relative(cwd, path);
  return short.startsWith("..") || isAbsolute(short) ? basename(path) : short;
}

async function readContents(project: Project): Promise<Record<string, string>> {
  const contents: Record<string, string> = {};
  for (const kind of ["secret", "config"] as const) {
    for (const [key, { file, environment }] of Object.entries(kind === "secret" ? project.secrets : project.configs)) {
      const what = `${kind}s.${key}`;
      if (file !== undefined) {
        const bytes = await readFile(file).catch((error: unknown) => {
          throw new FlotillaError("invalid", `${what}: ${file} cannot be read`, { cause: error });
        });
        contents[`${kind}/${key}`] = bytes.toString("base64");
      }
      if (environment === undefined) continue;
      const value = process.env[environment];
      if (value === undefined) throw new FlotillaError("invalid", `${what}: variable ${environment} is not set`);
      contents[`${kind}/${key}`] = Buffer.from(value).toString("base64");
    }
  }
  return contents;
}
