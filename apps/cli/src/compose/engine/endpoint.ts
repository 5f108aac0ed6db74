import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { FlotillaError } from "@flotilla/core";
import { z } from "zod";
import { readCredentials } from "../../remote/credentials.ts";

/** Where an engine answers. `isLocal`: on this machine, so that paths of files mean the same on both sides. */
export type Endpoint =
  | { kind: "unix"; socketPath: string; isLocal: true }
  | { kind: "tcp"; url: URL; headers: Readonly<Record<string, string>>; isLocal: false };

export type EndpointOptions = { host?: string | undefined; context?: string | undefined };
type Environment = Readonly<Record<string, string | undefined>>;

const contextMeta = z.object({ Endpoints: z.object({ docker: z.object({ Host: z.string() }) }) });
const dockerConfig = z.object({ currentContext: z.string().optional() });

/**
 * The engine that a command is for: `--host`, `--context`, DOCKER_HOST, DOCKER_CONTEXT, docker's current context when it is one of ours, else this
 * machine's agent. A host is an address, or the name of a host of the control plane that one has signed in to.
 * @throws FlotillaError `invalid`, `not_found`, `unauthenticated`.
 */
export function findEndpoint(options: EndpointOptions, env: Environment): Endpoint {
  if (options.host !== undefined && options.context !== undefined)
    throw new FlotillaError("invalid", "--host and --context exclude each other");
  if (options.host !== undefined) return parseHost(options.host, env);
  if (options.context !== undefined) return contextEndpoint(options.context, env);
  const host = env["DOCKER_HOST"] ?? "";
  if (host !== "") return parseHost(host, env);
  const context = env["DOCKER_CONTEXT"] ?? currentContext(env) ?? "";
  if (context !== "" && context !== "default") return contextEndpoint(context, env);
  return { kind: "unix", socketPath: join(env["FLOTILLA_RUN"] ?? "/run/flotilla", "engine.sock"), isLocal: true };
}

function parseHost(host: string, env: Environment): Endpoint {
  if (host.startsWith("unix://")) return { kind: "unix", socketPath: host.slice("unix://".length), isLocal: true };
  if (/^(tcp|https?):\/\//.test(host)) return remote(host, env);
  if (host.includes("://") || host === "")
    throw new FlotillaError("invalid", `host ${host}: expected unix://, tcp://, http://, https:// or a host's name`);
  const credentials = readCredentials();
  const url = new URL(`${credentials.url}/docker/${encodeURIComponent(host)}`);
  return { kind: "tcp", url, headers: { authorization: `Bearer ${credentials.token}` }, isLocal: false };
}

function remote(host: string, env: Environment): Endpoint {
  const isTls = (env["DOCKER_TLS"] ?? env["DOCKER_TLS_VERIFY"] ?? "") !== "";
  const text = host.replace(/^tcp:/, isTls ? "https:" : "http:").replace(/\/$/, "");
  if (!URL.canParse(text)) throw new FlotillaError("invalid", `host ${host}: not an address`);
  const url = new URL(text);
  return { kind: "tcp", url, headers: headersFor(url, env), isLocal: false };
}

/** Headers of DOCKER_CUSTOM_HEADERS (`Name=value,…`), else our own token where the address is the control plane's. */
function headersFor(url: URL, env: Environment): Record<string, string> {
  const given = env["DOCKER_CUSTOM_HEADERS"] ?? "";
  if (given !== "") {
    const pairs = given
      .split(",")
      .map((pair) => [pair.slice(0, pair.indexOf("=")).trim().toLowerCase(), pair.slice(pair.indexOf("=") + 1)] as const);
    return Object.fromEntries(pairs.filter(([name]) => name !== ""));
  }
  if (!url.pathname.startsWith("/docker/")) return {};
  const credentials = signedIn();
  return credentials !== undefined && new URL(credentials.url).host === url.host ? { authorization: `Bearer ${credentials.token}` } : {};
}

function signedIn(): ReturnType<typeof readCredentials> | undefined {
  try {
    return readCredentials();
  } catch {
    return undefined;
  }
}

const configDir = (env: Environment): string => env["DOCKER_CONFIG"] ?? join(homedir(), ".docker");

function contextEndpoint(name: string, env: Environment): Endpoint {
  if (name === "default") return findEndpoint({}, { ...env, DOCKER_CONTEXT: "default" });
  const id = createHash("sha256").update(name).digest("hex");
  const meta = contextMeta.safeParse(readJson(join(configDir(env), "contexts", "meta", id, "meta.json")));
  if (!meta.success) throw new FlotillaError("not_found", `context "${name}": context not found`);
  return parseHost(meta.data.Endpoints.docker.Host, env);
}

/** Docker's own choice counts only where it is a context that `flotilla context` wrote: others are other engines. */
function currentContext(env: Environment): string | undefined {
  const config = dockerConfig.safeParse(readJson(join(configDir(env), "config.json")));
  const name = config.success ? config.data.currentContext : undefined;
  return name?.startsWith("flotilla-") === true ? name : undefined;
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}
