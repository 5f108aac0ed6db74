import { canonicalFile } from "../canonical/file.ts";
import { parseDotenv } from "../dotenv.ts";
import { Interpolator, type Variables } from "../interpolate.ts";
import type { Issues } from "../issue.ts";
import { mergeTrees } from "../merge.ts";
import { parseYaml } from "../parse-yaml.ts";
import { dirName, joinPath } from "../paths.ts";
import { child, emptyMap, listNode, type MapNode, type Node, textOf, toPlain, withChild } from "../tree.ts";
import { applyExtends } from "./extends.ts";
import type { FileReader } from "./request.ts";
import { type Message, message } from "../message.ts";

export type TreeContext = { reader: FileReader; issues: Issues; variables: Variables; interpolate: boolean };

/** `stack`: the files that include each other down to here. */
type Including = { context: TreeContext; stack?: readonly string[] };

const MAX_INCLUDE_DEPTH = 20;
/** More would be a mistake of whoever generated the file, and minutes of work for every command. */
const MAX_SERVICES = 1000;
const SECTIONS = ["services", "networks", "volumes", "secrets", "configs"];

/** The documents of one file, with variables substituted and every short form long. @param dir where relative paths begin. */
export async function loadDocuments(path: string, dir: string, context: TreeContext): Promise<MapNode[]> {
  const { issues } = context;
  const text = await context.reader.read(path);
  if (text === undefined) {
    issues.error("", message("no_such_file", { path }));
    return [];
  }
  const documents: MapNode[] = [];
  for (const tree of parseYaml(path, text, issues)) {
    if (tree.kind !== "map") {
      issues.error("", message("top_no_mapping"), { position: tree.at });
      continue;
    }
    const services = child(tree, "services");
    if (services?.kind === "map" && services.entries.size > MAX_SERVICES) {
      const said = message("too_many_services", { count: services.entries.size, max: MAX_SERVICES });
      issues.error("services", said, { position: services.at });
      continue;
    }
    const interpolated = context.interpolate ? new Interpolator(context.variables, issues).apply(tree, "") : tree;
    const scope = { dir, homeDir: context.variables("HOME"), issues, variables: context.variables };
    const canonical = canonicalFile(interpolated, "", scope);
    if (canonical.kind === "map") documents.push(canonical);
  }
  return documents;
}

/** Several files (each of one or more documents) as one tree: includes taken in, `extends` resolved, merged in order. */
export async function loadTree(paths: readonly string[], dir: string, { context, stack = [] }: Including): Promise<MapNode> {
  let merged: MapNode | undefined;
  for (const path of paths) {
    for (const document of await loadDocuments(path, dir, context)) {
      const included = await takeIncludes(document, dir, { context, stack: [...stack, path] });
      const extended = await applyExtends(included, path, {
        load: (file) => loadDocuments(file, dirName(file), context),
        issues: context.issues,
      });
      const next: Node = merged === undefined ? extended : mergeTrees(merged, extended);
      if (next.kind === "map") merged = next;
    }
  }
  return merged ?? emptyMap({ file: paths[0] ?? "", line: 1, column: 1 });
}

async function takeIncludes(document: MapNode, dir: string, including: Including): Promise<MapNode> {
  const include = child(document, "include");
  if (include?.kind !== "list") return document;
  let result = withChild(document, "include", undefined);
  for (const item of include.items) {
    const other = await loadIncluded(item, dir, including);
    if (other !== undefined) result = takeIn(result, other, including.context.issues);
  }
  return result;
}

async function loadIncluded(item: Node, dir: string, { context, stack = [] }: Including): Promise<MapNode | undefined> {
  const paths = texts(child(item, "path")).map((path) => joinPath(dir, path));
  const [first] = paths;
  const fail = (said: Message): undefined => context.issues.error("include", said, { position: item.at }) as undefined;
  if (first === undefined) return fail(message("is_missing", { key: "path" }));
  const again = paths.find((path) => stack.includes(path));
  if (again !== undefined) return fail(message("include_cycle", { files: [...stack, again].join(" includes ") }));
  if (stack.length > MAX_INCLUDE_DEPTH) return fail(message("include_too_deep", { max: MAX_INCLUDE_DEPTH }));
  const ownDir = textOf(child(item, "project_directory")) ?? dirName(first);
  const envFiles = texts(child(item, "env_file")).map((path) => joinPath(dir, path));
  const own = await readVariables(envFiles, ownDir, context);
  const variables: Variables = (name) => context.variables(name) ?? own.get(name);
  return loadTree(paths, ownDir, { context: { ...context, variables }, stack });
}

/** Variables of the named files, or of `.env` in the directory. */
export async function readVariables(paths: readonly string[], dir: string, context: TreeContext): Promise<Map<string, string>> {
  const result = new Map<string, string>();
  for (const path of paths.length > 0 ? paths : [joinPath(dir, ".env")]) {
    const text = await context.reader.read(path);
    if (text !== undefined) {
      const variables: Variables = (name) => context.variables(name) ?? result.get(name);
      for (const [key, value] of parseDotenv({ file: path, text, issues: context.issues, variables })) result.set(key, value);
    } else if (paths.length > 0) context.issues.error("", message("no_env_file", { path }));
  }
  return result;
}

/** What an included project defines beside what this one does; both defining one thing differently is a mistake. */
function takeIn(into: MapNode, other: MapNode, issues: Issues): MapNode {
  let result = into;
  for (const section of SECTIONS) {
    const added = child(other, section);
    if (added?.kind !== "map") continue;
    const own = child(result, section);
    const entries = new Map(own?.kind === "map" ? own.entries : []);
    for (const [key, entry] of added.entries) {
      const before = entries.get(key);
      if (before === undefined) entries.set(key, entry);
      else if (JSON.stringify(toPlain(before.value)) !== JSON.stringify(toPlain(entry.value)))
        issues.error(`${section}.${key}`, message("included_conflict"), { position: entry.keyAt });
    }
    result = withChild(result, section, { ...added, entries });
  }
  return result;
}

function texts(node: Node | undefined): string[] {
  const items = node === undefined ? [] : node.kind === "list" ? node.items : listNode([node], node.at).items;
  return items.flatMap((item) => textOf(item) ?? []);
}
