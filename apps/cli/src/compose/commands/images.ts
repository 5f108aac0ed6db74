import { FlotillaError } from "@flotilla/core";
import { buildImage } from "../apply/build-image.ts";
import { pullImage, pushImage } from "../apply/pull-image.ts";
import type { Session } from "../session.ts";
import { withDependencies, type LoadedProject, type Service } from "@flotilla/compose";

type Chosen = { name: string; service: Service }[];

/** The named services (with what they depend on, if asked), one for each image. */
function choose(
  { project }: LoadedProject,
  services: readonly string[],
  { deps, wants }: { deps: boolean; wants: (service: Service) => boolean },
): Chosen {
  const names =
    services.length === 0 ? Object.keys(project.services) : deps ? [...withDependencies(project.services, services)] : [...services];
  const chosen = new Map<string, { name: string; service: Service }>();
  for (const name of names) {
    const service = project.services[name];
    if (service !== undefined && wants(service) && !chosen.has(service.image)) chosen.set(service.image, { name, service });
  }
  return [...chosen.values()];
}

function finish(session: Session, chosen: Chosen): number {
  session.progress.end();
  if (session.isJson)
    session.result(
      "",
      chosen.map(({ name, service }) => ({ service: name, image: service.image })),
    );
  return 0;
}

export type BuildOptions = {
  pull?: boolean;
  cache?: boolean;
  buildArg?: string[];
  quiet?: boolean;
  push?: boolean;
  withDependencies?: boolean;
};

export async function build(session: Session, services: readonly string[], options: BuildOptions): Promise<number> {
  const loaded = await session.load(services);
  const context = session.apply(loaded);
  const chosen = choose(loaded, services, { deps: options.withDependencies === true, wants: (service) => service.build !== undefined });
  const args = Object.fromEntries((options.buildArg ?? []).map((entry) => buildArgument(entry, session.environment)));
  if (chosen.length === 0) session.warn("No services to build");
  // One after the other: the engine runs a build's own stages beside each other, and the output of two would be mixed.
  for (const { service } of chosen) {
    if (service.build === undefined) continue;
    const quiet = options.quiet === true || session.isJson;
    await buildImage(context, {
      image: service.image,
      build: service.build,
      platform: service.platform,
      quiet,
      noCache: options.cache === false,
      pull: options.pull === true,
      args,
    });
    if (options.push === true) await pushImage(context, service.image, quiet);
  }
  return finish(session, chosen);
}

/** `A=1`, or `A` with the shell's value. */
function buildArgument(entry: string, environment: Session["environment"]): [string, string | null] {
  const at = entry.indexOf("=");
  if (at === 0 || entry === "") throw new FlotillaError("invalid", `invalid --build-arg "${entry}": expected KEY=VALUE`);
  return at === -1 ? [entry, environment[entry] ?? null] : [entry.slice(0, at), entry.slice(at + 1)];
}

export type PullOptions = { quiet?: boolean; includeDeps?: boolean; ignoreBuildable?: boolean; ignorePullFailures?: boolean };

export async function pull(session: Session, services: readonly string[], options: PullOptions): Promise<number> {
  const loaded = await session.load(services);
  const context = session.apply(loaded);
  const wants = (service: Service): boolean =>
    service.build === undefined || (options.ignoreBuildable !== true && !service.image.startsWith(`${loaded.project.name}-`));
  const chosen = choose(loaded, services, { deps: options.includeDeps === true, wants });
  const results = await Promise.allSettled(
    chosen.map(({ service }) => pullImage(context, service.image, { platform: service.platform, quiet: options.quiet === true })),
  );
  report(session, results, { isForgiven: options.ignorePullFailures === true });
  return finish(session, chosen);
}

export async function push(
  session: Session,
  services: readonly string[],
  options: { quiet?: boolean; includeDeps?: boolean; ignorePushFailures?: boolean },
): Promise<number> {
  const loaded = await session.load(services);
  const context = session.apply(loaded);
  const chosen = choose(loaded, services, { deps: options.includeDeps === true, wants: (service) => service.build !== undefined });
  const results = await Promise.allSettled(chosen.map(({ service }) => pushImage(context, service.image, options.quiet === true)));
  report(session, results, { isForgiven: options.ignorePushFailures === true });
  return finish(session, chosen);
}

/** @throws the first failure, after all have been told, unless they are forgiven. */
function report(session: Session, results: readonly PromiseSettledResult<void>[], { isForgiven }: { isForgiven: boolean }): void {
  const reasons = results.flatMap((result) => (result.status === "rejected" ? [result.reason as unknown] : []));
  if (reasons.length === 0) return;
  if (!isForgiven) throw reasons[0];
  for (const reason of reasons) session.warn(reason instanceof Error ? reason.message : String(reason));
}
