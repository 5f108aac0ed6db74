import type { DecodedService } from "../decode/service.ts";
import { parseDotenv } from "../dotenv.ts";
import { child } from "../tree.ts";
import type { TreeContext } from "./load-tree.ts";
import { message } from "../message.ts";

type Environment = Record<string, string | null>;

/** Puts `env_file` and `label_file` below what the service says itself, and gives variables without a value the shell's. */
export async function readServiceFiles(
  name: string,
  service: DecodedService,
  { context, isEnabled }: { context: TreeContext; isEnabled: boolean },
): Promise<void> {
  const { raw } = service;
  const environment: Environment = {};
  for (const { path, required = true, format } of service.envFiles) {
    const isRequired = required && isEnabled;
    const found = await readPairs(path, { name, key: "env_file", service, context, isRequired, isRaw: format === "raw" });
    Object.assign(environment, found);
  }
  Object.assign(environment, raw["environment"]);
  for (const [key, value] of Object.entries(environment)) environment[key] = value ?? context.variables(key) ?? null;
  raw["environment"] = environment;
  const labels: Environment = {};
  for (const path of service.labelFiles)
    Object.assign(labels, await readPairs(path, { name, key: "label_file", service, context, isRequired: isEnabled, isRaw: false }));
  raw["labels"] = { ...labels, ...((raw["labels"] ?? {}) as Environment) };
}

type Reading = {
  name: string;
  key: "env_file" | "label_file";
  service: DecodedService;
  context: TreeContext;
  isRequired: boolean;
  isRaw: boolean;
};

async function readPairs(path: string, { name, key, service, context, isRequired, isRaw }: Reading): Promise<Environment> {
  const text = await context.reader.read(path);
  if (text === undefined) {
    if (isRequired)
      context.issues.error(`services.${name}.${key}`, message("file_not_found", { path }), { position: child(service.node, key)?.at });
    return {};
  }
  return Object.fromEntries(parseDotenv({ file: path, text, issues: context.issues, variables: context.variables, isRaw }));
}
