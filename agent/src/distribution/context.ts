import { FlotillaError, isFlotillaError } from "@flotilla/core";
import type { Platform, Reference } from "@flotilla/image";
import { RegistryClient, type Credentials } from "@flotilla/registry";
import type { StorageContext } from "../storage/context.ts";
import { goArchitecture } from "../storage/go-architecture.ts";
import type { OwnCredentials } from "./host-credentials.ts";
import type { LayerTransfers } from "./layer-transfers.ts";
import { readHostRegistries, type HostRegistries } from "./registry-settings.ts";

/** What pull, push and the rest share. */
export type DistributionContext = {
  store: StorageContext;
  dataDir: string;
  transfers: LayerTransfers;
  /** For calls that bring no credentials. */
  ownCredentials: OwnCredentials;
  /** Sent to registries, as Docker sends its own. */
  userAgent: string;
  nowMs: () => number;
  random: () => number;
};

/** A registry client for one call, with the settings as they are now. */
export type RegistryCall = { client: RegistryClient; registries: HostRegistries };

/** Opens a client for one call; dispose of `client` afterwards. Users' credentials come with each call and are kept nowhere. */
export async function openRegistries(context: DistributionContext): Promise<RegistryCall> {
  const registries = await readHostRegistries(context.dataDir);
  const client = new RegistryClient({
    settingsOf: registries.settingsOf,
    // Those of a call belong to the registry that it names; mirrors are asked without any.
    credentialsOf: async () => undefined,
    userAgent: context.userAgent,
    random: context.random,
    now: context.nowMs,
  });
  return { client, registries };
}

const HUB = "docker.io";
const OFFICIAL = "library/";

/** The repository that a name means on this host: one without a registry may lead to the host's default one. */
export function remoteOf(reference: Reference, { defaultRegistry }: HostRegistries): Pick<Reference, "domain" | "path"> {
  const { domain, path } = reference;
  if (domain !== HUB || defaultRegistry === undefined || defaultRegistry === HUB) return { domain, path };
  return { domain: defaultRegistry, path: path.startsWith(OFFICIAL) ? path.slice(OFFICIAL.length) : path };
}

/**
 * Runs something that reads from a registry: with the caller's credentials, else with this host's own for that registry. Where
 * those are refused (the host was removed) it is as if there were none, so that what is public is there.
 */
export async function withOwnCredentials<T>(
  context: DistributionContext,
  request: DistributionRequest & { reference: Reference },
  run: (credentials: Credentials | undefined) => Promise<T>,
): Promise<T> {
  if (request.credentials !== undefined) return run(request.credentials);
  const { domain } = remoteOf(request.reference, await readHostRegistries(context.dataDir));
  const own = context.ownCredentials.find(request.namespace, domain);
  if (own === undefined) return run(undefined);
  try {
    return await run(own);
  } catch (error) {
    if (isFlotillaError(error, "unauthenticated")) return run(undefined);
    throw error;
  }
}

/** @param text `linux/arm64/v8`; empty is this machine. @throws FlotillaError `invalid` for another system than Linux. */
export function parsePlatform(text: string): { platform: Platform; isAsked: boolean } {
  const architecture = goArchitecture(process.arch);
  if (text === "") return { platform: { os: "linux", architecture }, isAsked: false };
  const [os = "", arch, variant, ...more] = text.toLowerCase().split("/");
  if (more.length > 0 || !/^[a-z0-9_.-]+$/.test(os + (arch ?? "") + (variant ?? "")))
    throw new FlotillaError(
      "invalid",
      `"${text}" is an invalid OS component of "${text}": platform specifier must be OS/architecture/variant`,
    );
  if (os !== "linux") throw new FlotillaError("invalid", `operating system is not supported: ${os}`);
  const platform = { os, architecture: arch ?? architecture };
  return { platform: variant === undefined ? platform : { ...platform, variant }, isAsked: true };
}

/** Who calls, for what, and until when. */
export type DistributionRequest = { namespace: string; credentials: Credentials | undefined; signal: AbortSignal };

export type PullRequest = DistributionRequest & {
  /** With a tag or a digest; with neither, all tags of the repository. */
  reference: Reference;
  platform: Platform;
  /** The platform was named, so an image of another one is an error. */
  isPlatformAsked: boolean;
};
