import type { RegistryUpstream } from "@flotilla/db";
import type { ServiceContext } from "../../context.ts";
import { registryError } from "../registry-error.ts";
import { type CachedRepository, DOCKER_HUB_URL } from "./upstream-settings.ts";

/** The upstream that a path leads through, if any: `<team>/<upstream>/<repository>`. */
export async function findCached(services: ServiceContext, path: string): Promise<CachedRepository | undefined> {
  const [slug = "", name = "", ...rest] = path.split("/");
  if (rest.length === 0) return undefined;
  const upstream = await services.cache.get(`registry upstream ${slug}/${name}`, () =>
    services.prisma.registryUpstream.findFirst({ where: { name, team: { slug } } }),
  );
  return upstream === null ? undefined : { upstream, path, remotePath: remotePathOf(upstream, rest) };
}

/** Official images of Docker Hub have a name without a slash, and are in `library`. */
function remotePathOf({ url }: RegistryUpstream, rest: readonly string[]): string {
  return url === DOCKER_HUB_URL && rest.length === 1 ? `library/${rest[0] ?? ""}` : rest.join("/");
}

/** @throws DENIED: nobody pushes into what is a copy of another registry. */
export async function requireNoCache(services: ServiceContext, path: string): Promise<void> {
  const cached = await findCached(services, path);
  if (cached === undefined) return;
  throw registryError("DENIED", `${path} is pulled through from ${new URL(cached.upstream.url).host}: push to another repository`, {
    name: path,
  });
}
