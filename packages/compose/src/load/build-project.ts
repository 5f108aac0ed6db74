import type { DecodedService } from "../decode/service.ts";
import { Project, type Service } from "../model.ts";

type Raw = Record<string, unknown>;
type Named = { name?: string; isExternal?: boolean };

/** `dir`: where the project is, the context of a build that names none. */
export type Parts = { name: string; dir: string; top: Raw; services: ReadonlyMap<string, DecodedService>; enabled: ReadonlySet<string> };

export type BuiltProject = { project: Project; disabledServices: Record<string, Service> };

/** From decoded parts to the canonical model: final names, implied networks and dependencies, nothing that is not used. */
export function buildProject({ name, dir, top, services, enabled }: Parts): BuiltProject {
  const all = Object.fromEntries([...services].map(([key, { raw }]) => [key, buildService(key, raw, { project: name, dir })]));
  const parsed = Project.parse({
    name,
    services: all,
    networks: named(top["networks"], name),
    volumes: named(top["volumes"], name),
    secrets: named(top["secrets"], name),
    configs: named(top["configs"], name),
    extensions: top["extensions"] ?? {},
  });
  const entries = Object.entries(parsed.services);
  const project = { ...parsed, services: Object.fromEntries(entries.filter(([key]) => enabled.has(key))) };
  const disabledServices = Object.fromEntries(entries.filter(([key]) => !enabled.has(key)));
  const usesDefault = entries.some(([, service]) => "default" in service.networks);
  if (usesDefault)
    project.networks["default"] ??= {
      name: `${name}_default`,
      isExternal: false,
      driverOpts: {},
      isInternal: false,
      isAttachable: false,
      labels: {},
    };
  return { project, disabledServices };
}

/** `<project>_<key>` unless the file names it; an external one has its own name. */
function named(section: unknown, project: string): Record<string, Named> {
  const entries = Object.entries((section ?? {}) as Record<string, Named>);
  return Object.fromEntries(
    entries.map(([key, value]) => [key, { ...value, name: value.name ?? (value.isExternal === true ? key : `${project}_${key}`) }]),
  );
}

function buildService(key: string, raw: Raw, { project, dir }: { project: string; dir: string }): Raw {
  const networks = (raw["networks"] ?? {}) as Raw;
  const isPlain = raw["networkMode"] === undefined && Object.keys(networks).length === 0;
  const build = raw["build"] as Raw | undefined;
  return {
    ...raw,
    ...(build === undefined ? {} : { build: { context: dir, ...build } }),
    image: raw["image"] ?? (build === undefined ? "" : `${project}-${key}`),
    networks: isPlain ? { default: {} } : byPriority(networks),
    dependsOn: { ...impliedDependencies(raw), ...((raw["dependsOn"] ?? {}) as Raw) },
    secrets: references(raw["secrets"], "/run/secrets/"),
    configs: references(raw["configs"], "/"),
  };
}

/** Higher priorities are connected first; equal ones in the file's order. */
function byPriority(networks: Raw): Raw {
  const priority = (value: unknown): number => ((value ?? {}) as { priority?: number }).priority ?? 0;
  return Object.fromEntries(Object.entries(networks).sort(([, a], [, b]) => priority(b) - priority(a)));
}

function references(list: unknown, dir: string): Raw[] {
  return ((list ?? []) as { source?: string; target?: string }[]).map((reference) => {
    const target = reference.target ?? reference.source ?? "";
    return { ...reference, source: reference.source ?? "", target: target.startsWith("/") ? target : `${dir}${target}` };
  });
}

/** A service whose name stands in a link, a mode or `volumes_from` must be there first. */
function impliedDependencies(raw: Raw): Raw {
  const result: Raw = {};
  const add = (service: string | undefined, restart: boolean): void => {
    if (service !== undefined && service !== "") result[service] = { condition: "service_started", restart };
  };
  for (const link of (raw["links"] ?? []) as string[]) add(link.split(":")[0], true);
  for (const mode of ["networkMode", "ipc", "pid"]) {
    const value = raw[mode];
    if (typeof value === "string" && value.startsWith("service:")) add(value.slice("service:".length), true);
  }
  for (const from of (raw["volumesFrom"] ?? []) as string[]) if (!from.startsWith("container:")) add(from.split(":")[0], false);
  return result;
}
