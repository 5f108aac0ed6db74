import { decodeService, type DecodedService } from "../decode/service.ts";
import { NAME, projectFields } from "../decode/project-fields.ts";
import { wrongKind } from "../decode/reader.ts";
import { object } from "../decode/reader.ts";
import type { Variables } from "../interpolate.ts";
import { composeError, Issues } from "../issue.ts";
import { message } from "../message.ts";
import { dropTags } from "../merge.ts";
import { dirName, joinPath } from "../paths.ts";
import { child, type MapNode, type Node } from "../tree.ts";
import { buildProject } from "./build-project.ts";
import { CheckContext, positionIn } from "./check-context.ts";
import { checkProject } from "./check-project.ts";
import { findFiles } from "./find-files.ts";
import { loadTree, readVariables, type TreeContext } from "./load-tree.ts";
import { projectName } from "./project-name.ts";
import { activeProfiles, isEnabled } from "./profiles.ts";
import { readServiceFiles } from "./service-files.ts";
import type { FileReader, LoadedProject, LoadRequest } from "./request.ts";

/**
 * Loads a project: files found, merged, checked, in canonical form.
 * @throws FlotillaError `invalid` with every mistake and its place, one a line; `details.issues` has them as data.
 */
export async function loadProject(request: LoadRequest, files: FileReader): Promise<LoadedProject> {
  const issues = new Issues();
  const reader = remembering(files);
  const shell: Variables = (name) => (Object.hasOwn(request.environment, name) ? request.environment[name] : undefined);
  const context: TreeContext = { reader, issues, variables: shell, interpolate: request.interpolate !== false };
  const { paths, dir, variables } = await locate(request, context);
  const texts = await Promise.all(paths.map(async (path) => ({ path, text: (await reader.read(path)) ?? "" })));
  const name = projectName({ given: request.projectName, texts, dir, variables }, issues);
  const named: Variables = (key) => (key === "COMPOSE_PROJECT_NAME" ? name : variables(key));
  const tree = await loadTree(paths, dir, { context: { ...context, variables: named } });
  stopAtErrors(issues);
  const loaded = await resolve(tree, { request, name, dir, context: { ...context, variables: named } });
  return { ...loaded, files: paths, projectDirectory: dir, positionOf: (path) => positionIn(tree, path) };
}

/** Files, the project's directory, and the variables with those of `.env`. */
async function locate(request: LoadRequest, context: TreeContext): Promise<{ paths: string[]; dir: string; variables: Variables }> {
  const named = request.envFiles?.map((path) => joinPath(request.workingDir, path)) ?? [];
  const guess =
    request.projectDirectory ??
    (request.files[0] === undefined ? request.workingDir : dirName(joinPath(request.workingDir, request.files[0])));
  const first = await readVariables(named, joinPath(request.workingDir, guess), context);
  stopAtErrors(context.issues);
  const paths = await findFiles(request, context.reader, layered(context.variables, first));
  const dir =
    request.projectDirectory === undefined
      ? dirName(paths[0] ?? request.workingDir)
      : joinPath(request.workingDir, request.projectDirectory);
  const isSame = named.length > 0 || dir === joinPath(request.workingDir, guess);
  return { paths, dir, variables: layered(context.variables, isSame ? first : await readVariables([], dir, context)) };
}

const layered =
  (shell: Variables, own: ReadonlyMap<string, string>): Variables =>
  (name) =>
    shell(name) ?? own.get(name);

type Resolving = { request: LoadRequest; name: string; dir: string; context: TreeContext };

async function resolve(
  tree: MapNode,
  { request, name, dir, context }: Resolving,
): Promise<Pick<LoadedProject, "project" | "disabledServices" | "warnings">> {
  const { issues } = context;
  const clean = dropTags(tree);
  const top = (object(projectFields(request.target), { target: request.target, withExtensions: true })(clean, "", issues) ?? {}) as Record<
    string,
    unknown
  >;
  const services = decodeServices(child(clean, "services"), { request, issues, isEmpty: clean.kind === "map" && clean.entries.size === 0 });
  stopAtErrors(issues);
  const profiles = activeProfiles(services, { ...request, variables: context.variables });
  const enabled = new Set([...services].filter(([, { raw }]) => isEnabled(raw, profiles)).map(([key]) => key));
  for (const [key, service] of services) await readServiceFiles(key, service, { context, isEnabled: enabled.has(key) });
  stopAtErrors(issues);
  const built = buildProject({ name, dir, top, services, enabled });
  checkProject(built, new CheckContext({ tree: clean, issues, requested: request.services ?? [], isOneHost: request.target === "host" }));
  stopAtErrors(issues);
  return { ...built, warnings: issues.warnings };
}

type Decoding = { request: LoadRequest; issues: Issues; isEmpty: boolean };

function decodeServices(node: Node | undefined, { request, issues, isEmpty }: Decoding): Map<string, DecodedService> {
  const result = new Map<string, DecodedService>();
  if (isEmpty) issues.error("", message("empty_file"));
  if (node?.kind !== "map") {
    if (node !== undefined && !(node.kind === "scalar" && node.value === null)) wrongKind({ node, path: "services", issues }, "mapping");
    return result;
  }
  for (const [key, { value, keyAt }] of node.entries) {
    if (!NAME.test(key) || key === "__proto__")
      issues.error("services", message("not_a_name", { name: key.slice(0, 80) }), { position: keyAt });
    else if (value.kind !== "map") wrongKind({ node: { ...value, at: keyAt }, path: `services.${key}`, issues }, "mapping");
    else result.set(key, decodeService(value, `services.${key}`, { issues, target: request.target }));
  }
  return result;
}

function stopAtErrors(issues: Issues): void {
  if (issues.errors.length > 0) throw composeError(issues.errors);
}

/** One load sees one content of each file, and asks for it once. */
function remembering(files: FileReader): FileReader {
  const known = new Map<string, Promise<string | undefined>>();
  return {
    read: (path) => {
      const asked = known.get(path) ?? files.read(path);
      known.set(path, asked);
      return asked;
    },
  };
}
