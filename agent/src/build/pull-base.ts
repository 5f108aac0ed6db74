import { FlotillaError } from "@flotilla/core";
import { parseReference, withDefaultTag, type Platform } from "@flotilla/image";
import { credentialsSchema, type Credentials } from "@flotilla/registry";
import { z } from "zod";
import type { Distribution } from "../distribution/create-distribution.ts";
import { goArchitecture } from "../storage/go-architecture.ts";
import type { PullBase } from "./builder-deps.ts";

const registryConfigSchema = z.record(z.string(), credentialsSchema);
/** Docker Hub's names in a client's configuration. */
const HUB_NAMES = ["https://index.docker.io/v1/", "index.docker.io", "docker.io"];

/** Bases come from their registries, with the credentials that the client sent along for each. */
export function createPullBase(distribution: Distribution): PullBase {
  return async (request) => {
    const reference = withDefaultTag(parseReference(request.reference));
    const own: Platform = { os: "linux", architecture: goArchitecture(process.arch) };
    const staged = await distribution.stagePull({
      namespace: request.namespace,
      credentials: credentialsFor(reference.domain, request.registryConfig),
      signal: request.signal,
      reference,
      platform: request.platform ?? own,
      isPlatformAsked: request.platform !== undefined,
    });
    // In their order; what the reader is slow to take waits in memory, one short line per message.
    let told: Promise<void> = Promise.resolve();
    await staged.run((message) => {
      told = told.then(() => request.progress(message));
    });
    await told;
  };
}

/** `X-Registry-Config`: base64 of credentials by registry. @throws FlotillaError `invalid`. */
function credentialsFor(domain: string, header: string | undefined): Credentials | undefined {
  if (header === undefined || header === "") return undefined;
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(header, "base64").toString("utf8"));
  } catch (error) {
    throw new FlotillaError("invalid", "invalid X-Registry-Config header: it is not base64 of JSON", { cause: error });
  }
  const result = registryConfigSchema.safeParse(value ?? {});
  if (!result.success) throw new FlotillaError("invalid", "invalid X-Registry-Config header: unexpected shape");
  const names = domain === "docker.io" ? HUB_NAMES : [domain, `https://${domain}`, `http://${domain}`];
  return names.map((name) => result.data[name]).find((found) => found !== undefined);
}
