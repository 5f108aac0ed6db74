import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { escapeDollars, formatProject, type LoadedProject, toYaml } from "@flotilla/compose";
import { FlotillaError } from "@flotilla/core";
import { readFileContents } from "../apply/file-contents.ts";
import { configHash } from "../plan/config-hash.ts";
import type { Session } from "../session.ts";

export type ConfigOptions = {
  services?: boolean;
  volumes?: boolean;
  networks?: boolean;
  images?: boolean;
  profiles?: boolean;
  hash?: string;
  format?: string;
  quiet?: boolean;
  output?: string;
  interpolate?: boolean;
};

/** Prints the project as the loader understands it, or one list of it. */
export async function config(session: Session, services: readonly string[], options: ConfigOptions): Promise<number> {
  if (options.format !== undefined && options.format !== "yaml" && options.format !== "json")
    throw new FlotillaError("invalid", `--format must be yaml or json, not ${options.format}`);
  const loaded = await session.load(services, { interpolate: options.interpolate !== false, allProfiles: options.profiles === true });
  if (options.quiet === true) return 0;
  const list = await listOf(session, loaded, options);
  if (list !== undefined) {
    session.result(list.join("\n"), list);
    return 0;
  }
  const document = formatProject(withServices(loaded, services).project);
  const text = session.isJson || options.format === "json" ? `${JSON.stringify(escapeDollars(document), null, 2)}\n` : toYaml(document);
  if (options.output === undefined) session.stdout.write(text);
  else writeFileSync(resolve(session.workingDir, options.output), text);
  return 0;
}

async function listOf(session: Session, loaded: LoadedProject, options: ConfigOptions): Promise<string[] | undefined> {
  const { project } = loaded;
  if (options.services === true) return Object.keys(project.services);
  if (options.volumes === true) return Object.keys(project.volumes);
  if (options.networks === true) return Object.keys(project.networks);
  if (options.images === true) return [...new Set(Object.values(project.services).map(({ image }) => image))];
  if (options.profiles === true) return [...new Set(Object.values(project.services).flatMap(({ profiles }) => profiles))].sort();
  if (options.hash === undefined) return undefined;
  const { digests } = await readFileContents(loaded, session.environment);
  const names = options.hash === "*" ? Object.keys(project.services) : options.hash.split(",");
  return names.map((name) => {
    const service = project.services[name];
    if (service === undefined) throw new FlotillaError("not_found", `no such service: ${name}`);
    return `${name} ${configHash(service, project, digests)}`;
  });
}

function withServices(loaded: LoadedProject, names: readonly string[]): LoadedProject {
  if (names.length === 0) return loaded;
  const services = Object.fromEntries(Object.entries(loaded.project.services).filter(([name]) => names.includes(name)));
  return { ...loaded, project: { ...loaded.project, services } };
}
