import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { FlotillaError } from "@flotilla/core";
import { isLoopbackHost, type RegistrySettings } from "@flotilla/registry";
import { z } from "zod";

const urlSchema = z.url({ protocol: /^https?$/ });

const registrySchema = z.strictObject({
  /** Asked before the registry itself, for pulls. */
  mirrors: z.array(urlSchema).default([]),
  /** Certificates are not checked, and plain HTTP is spoken when TLS is not. */
  insecure: z.boolean().optional(),
  /** Absolute path of a PEM file with the authorities to trust instead of the usual ones. */
  caFile: z.string().startsWith("/").optional(),
  /** Other origins on the inside that the registry may redirect to or name as its token server. */
  allowedOrigins: z.array(urlSchema).default([]),
});

/** `registries.json` in the agent's data directory, written by whoever runs the host. */
export const registriesFileSchema = z.strictObject({
  /** Where names without a registry lead (`registry.example:5000`) instead of Docker Hub. */
  defaultRegistry: z.string().min(1).optional(),
  /** By domain as it stands in a reference: `docker.io`, `registry.example:5000`. */
  registries: z.record(z.string(), registrySchema).default({}),
});
export type RegistriesFile = z.output<typeof registriesFileSchema>;

/** What this host was told about registries, at one moment. */
export type HostRegistries = {
  defaultRegistry: string | undefined;
  /** Domains that are named in the file, the default one included. */
  domains: readonly string[];
  settingsOf: (domain: string) => RegistrySettings;
};

const FILE = "registries.json";

/**
 * Reads the file anew, so that a change needs no restart. No file is no settings.
 * @throws FlotillaError `invalid` naming the file and what is wrong with it.
 */
export async function readHostRegistries(dataDir: string): Promise<HostRegistries> {
  const file = await readRegistriesFile(dataDir);
  const settings = new Map<string, RegistrySettings>();
  for (const [domain, entry] of Object.entries(file.registries)) {
    settings.set(domain, {
      mirrors: entry.mirrors,
      allowedOrigins: entry.allowedOrigins,
      ...(entry.insecure === undefined ? {} : { isInsecure: entry.insecure }),
      ...(entry.caFile === undefined ? {} : { ca: await readAuthority(domain, entry.caFile) }),
    });
  }
  const domains = new Set([...settings.keys(), ...(file.defaultRegistry === undefined ? [] : [file.defaultRegistry])]);
  return { defaultRegistry: file.defaultRegistry, domains: [...domains], settingsOf: (domain) => settings.get(domain) ?? {} };
}

const INDEX_SERVER = "https://index.docker.io/v1/";

/** What `docker info` says about registries. */
export async function describeRegistries(dataDir: string): Promise<{ RegistryConfig: unknown; IndexServerAddress: string }> {
  const { registries, defaultRegistry } = await readRegistriesFile(dataDir);
  const indexes = ["docker.io", ...Object.keys(registries).filter((domain) => domain !== "docker.io")].map((domain) => {
    const entry = registries[domain];
    const isSecure = entry?.insecure === undefined ? entry?.caFile !== undefined || !isLoopback(domain) : !entry.insecure;
    return [domain, { Name: domain, Mirrors: entry?.mirrors ?? [], Secure: isSecure, Official: domain === "docker.io" }] as const;
  });
  return {
    RegistryConfig: {
      AllowNondistributableArtifactsCIDRs: null,
      AllowNondistributableArtifactsHostnames: null,
      InsecureRegistryCIDRs: ["::1/128", "127.0.0.0/8"],
      IndexConfigs: Object.fromEntries(indexes),
      Mirrors: registries["docker.io"]?.mirrors ?? null,
    },
    IndexServerAddress: defaultRegistry ?? INDEX_SERVER,
  };
}

async function readRegistriesFile(dataDir: string): Promise<RegistriesFile> {
  const path = join(dataDir, FILE);
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return registriesFileSchema.parse({});
    throw new FlotillaError("invalid", `cannot read ${path}`, { cause: error });
  }
  const parsed = registriesFileSchema.safeParse(parseJson(path, text));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new FlotillaError("invalid", `${path}: ${issue?.path.join(".") ?? ""}: ${issue?.message ?? "unexpected shape"}`);
}

async function readAuthority(domain: string, path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new FlotillaError("invalid", `cannot read the authorities of ${domain}: ${path}`, { cause: error });
  }
}

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new FlotillaError("invalid", `${path} is not JSON`, { cause: error });
  }
}

function isLoopback(domain: string): boolean {
  return URL.canParse(`http://${domain}`) && isLoopbackHost(new URL(`http://${domain}`).hostname);
}
