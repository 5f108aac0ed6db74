import type { Service } from "@flotilla/compose";
import { FlotillaError } from "@flotilla/core";
import type { ApplyContext } from "./context.ts";
import { findImage, type ImageRow } from "./find-image.ts";

export type ImageOptions = {
  /** Of `--pull`; the service's own policy otherwise. */
  pull?: "always" | "missing" | "never" | undefined;
  /** `--build`: build also what is there. */
  build: boolean;
  /** `--no-build`: what is missing is an error. */
  noBuild: boolean;
  quiet: boolean;
};

/** Brings the images of services: pulled or built where they are missing or asked for. @returns image ids by service. */
export async function ensureImages(
  context: ApplyContext,
  services: readonly string[],
  options: ImageOptions,
): Promise<Map<string, string>> {
  const byImage = new Map<string, { service: Service; names: string[] }>();
  for (const name of services) {
    const service = context.loaded.project.services[name];
    if (service === undefined) continue;
    const entry = byImage.get(service.image);
    if (entry === undefined) byImage.set(service.image, { service, names: [name] });
    else {
      entry.names.push(name);
      // Of several services with one image the one that says how to build it counts.
      if (entry.service.build === undefined) entry.service = service;
    }
  }
  const ids = new Map<string, string>();
  await Promise.all(
    [...byImage.values()].map(async ({ service, names }) => {
      const id = await ensureImage(context, service, options);
      for (const name of names) ids.set(name, id);
    }),
  );
  return ids;
}

async function ensureImage(context: ApplyContext, service: Service, options: ImageOptions): Promise<string> {
  const { image, build } = service;
  const present = await findImage(context, image);
  const policy = options.pull ?? service.pullPolicy;
  if (build !== undefined && (options.build || policy === "build" || present === undefined)) {
    if (options.noBuild && present === undefined)
      throw new FlotillaError("not_found", `image ${image} is missing, and --no-build forbids to build it`);
    if (!options.noBuild) {
      const { buildImage } = await import("./build-image.ts");
      return buildImage(context, { image, build, platform: service.platform, quiet: options.quiet });
    }
  }
  const isOld = policy === "refresh" && present !== undefined && ageMs(present) > (service.pullRefreshMs ?? 0);
  if (present !== undefined && policy !== "always" && !isOld) return present.Id;
  if (present !== undefined && build !== undefined) return present.Id;
  if (policy === "never") throw new FlotillaError("not_found", `image ${image} is missing, and pull_policy never forbids to pull it`);
  const { pullImage } = await import("./pull-image.ts");
  await pullImage(context, image, { platform: service.platform, quiet: options.quiet });
  const pulled = await findImage(context, image);
  if (pulled === undefined) throw new FlotillaError("not_found", `image ${image} is missing after its pull`);
  return pulled.Id;
}

/** Since it was pulled, where the engine knows it, else since it was made. */
function ageMs(image: ImageRow): number {
  const time = Date.parse(image.Metadata?.LastTagTime ?? image.Created ?? "");
  return Number.isNaN(time) ? 0 : Date.now() - time;
}
