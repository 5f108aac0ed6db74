import type { Variables } from "../interpolate.ts";
import { TemplateError, substitute } from "../interpolate.ts";
import { parseYaml } from "../parse-yaml.ts";
import { baseName } from "../paths.ts";
import { child, textOf } from "../tree.ts";
import { Issues } from "../issue.ts";
import { message } from "../message.ts";

const VALID = /^[a-z0-9][a-z0-9_-]*$/;

type Sources = { given: string | undefined; texts: readonly { path: string; text: string }[]; dir: string; variables: Variables };

/** The project's name: given, COMPOSE_PROJECT_NAME, `name:` of the last file that has it, else made of the directory's name. */
export function projectName({ given, texts, dir, variables }: Sources, issues: Issues): string {
  const chosen = given ?? nonEmpty(variables("COMPOSE_PROJECT_NAME")) ?? nameInFiles(texts, variables);
  if (chosen === undefined) {
    const made = normalizeName(baseName(dir));
    if (made !== "") return made;
    issues.error("", message("no_project_name", { dir: baseName(dir) }));
    return "project";
  }
  if (VALID.test(chosen) && chosen.length <= 255) return chosen;
  issues.error("name", message("invalid_project_name", { name: chosen.slice(0, 80) }));
  return "project";
}

export const normalizeName = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9_-]/g, "")
    .replace(/^[_-]+/, "");

const nonEmpty = (text: string | undefined): string | undefined => (text === "" ? undefined : text);

function nameInFiles(texts: Sources["texts"], variables: Variables): string | undefined {
  // A quick look: most files have none, and mistakes of the file are told when it is loaded.
  for (const { path, text } of [...texts].reverse()) {
    if (!/^["']?name["']?\s*:/m.test(text)) continue;
    for (const tree of parseYaml(path, text, new Issues()).reverse()) {
      const name = textOf(child(tree, "name"));
      if (name !== undefined) return expanded(name, variables);
    }
  }
  return undefined;
}

function expanded(name: string, variables: Variables): string {
  try {
    return substitute(name, { variables, onUnset: () => undefined });
  } catch (error) {
    if (error instanceof TemplateError) return name;
    throw error;
  }
}
