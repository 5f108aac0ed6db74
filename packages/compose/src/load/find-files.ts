import type { Variables } from "../interpolate.ts";
import { composeError } from "../issue.ts";
import { dirName, joinPath } from "../paths.ts";
import type { FileReader, LoadRequest } from "./request.ts";
import { formatMessage, message } from "../message.ts";

const NAMES = ["compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"];
const OVERRIDES = ["compose.override.yaml", "compose.override.yml", "docker-compose.override.yaml", "docker-compose.override.yml"];

/** The absolute paths of the compose files of a request. @throws FlotillaError `invalid` when there are none. */
export async function findFiles(request: LoadRequest, reader: FileReader, variables: Variables): Promise<string[]> {
  const named = request.files.length > 0 ? request.files : filesOfVariable(variables);
  if (named.length > 0) return named.map((path) => joinPath(request.workingDir, path));
  for (let dir = request.projectDirectory ?? request.workingDir; ; dir = dirName(dir)) {
    const found = await firstOf(NAMES, dir, reader);
    if (found !== undefined) {
      const override = await firstOf(OVERRIDES, dir, reader);
      return override === undefined ? [found] : [found, override];
    }
    if (dir === "/" || dir === ".") break;
  }
  const said = message("no_compose_file", { names: NAMES.join(", "), dir: request.workingDir });
  throw composeError([{ severity: "error", path: "", message: formatMessage(said), said }]);
}

function filesOfVariable(variables: Variables): string[] {
  const value = variables("COMPOSE_FILE") ?? "";
  return value.split(variables("COMPOSE_PATH_SEPARATOR") ?? ":").filter((path) => path !== "");
}

async function firstOf(names: readonly string[], dir: string, reader: FileReader): Promise<string | undefined> {
  for (const name of names) {
    const path = joinPath(dir, name);
    if ((await reader.read(path)) !== undefined) return path;
  }
  return undefined;
}
