import type { FlotillaError } from "@flotilla/core";
import { loadProject } from "./load/load-project.ts";
import type { LoadedProject, LoadRequest } from "./load/request.ts";
import type { Service } from "./model.ts";

// For the tests of this package: projects out of texts.

export type Given = Partial<LoadRequest> & { others?: Readonly<Record<string, string>> };

/** Loads a project from the text of `/app/compose.yaml` and other files by name. */
export function load(text: string, { others = {}, ...request }: Given = {}): Promise<LoadedProject> {
  const files = new Map([
    ["/app/compose.yaml", text],
    ...Object.entries(others).map(([name, content]) => [`/app/${name}`, content] as const),
  ]);
  return loadProject(
    { workingDir: "/app", files: [], environment: {}, target: "stack", ...request },
    { read: (path) => Promise.resolve(files.get(path)) },
  );
}

/** The one service `web` of a project; `keys` are its lines, without indentation. */
export async function webOf(keys: string, given: Given = {}): Promise<Service> {
  const { project } = await load(withWeb(keys), given);
  const web = project.services["web"];
  if (web === undefined) throw new Error("there is no service web");
  return web;
}

export const withWeb = (keys: string): string => `services:\n  web:\n    image: i\n${indent(keys, 4)}\n`;

export const indent = (text: string, spaces: number): string =>
  text
    .split("\n")
    .map((line) => `${" ".repeat(spaces)}${line}`)
    .join("\n");

/** The message of a load that fails, without the name of the file. @throws when it does not. */
export async function failureOf(text: string, given: Given = {}): Promise<string> {
  try {
    await load(text, given);
  } catch (error) {
    return (error as FlotillaError).message.replaceAll("/app/compose.yaml:", "");
  }
  throw new Error("the project loads");
}

export async function warningsOf(text: string, given: Given = {}): Promise<string[]> {
  const { warnings } = await load(text, given);
  return warnings.map(({ path, message }) => (path === "" ? message : `${path}: ${message}`));
}
