import { FlotillaError } from "@flotilla/core";
import { parsePlatform } from "@flotilla/dockerfile";
import { parseReference, withDefaultTag } from "@flotilla/image";
import { z } from "zod";
import type { Call } from "../api/call.ts";
import { queryBoolean, queryInteger } from "../api/query.ts";
import type { BuildRequest, RunLimits } from "./build-types.ts";

const buildArgsSchema = z.record(z.string(), z.string().nullable());
const cacheFromSchema = z.array(z.string());
const labelsSchema = z.record(z.string(), z.string());
const ulimitsSchema = z.array(z.object({ Name: z.string(), Hard: z.number().int(), Soft: z.number().int() }));

/** The query of `POST /build`. @throws FlotillaError `invalid`, `not_implemented` for what this builder has not. */
export function parseBuildQuery(call: Call): BuildRequest {
  const { query } = call;
  refuseUnknown(query);
  const tags = query.getAll("t").filter((tag) => tag !== "");
  for (const tag of tags) assertTag(tag);
  const platform = query.get("platform") ?? "";
  return {
    namespace: call.namespace,
    isExempt: call.isExempt,
    dockerfile: query.get("dockerfile") ?? "",
    tags,
    target: query.get("target") ?? "",
    buildArgs: new Map(Object.entries(parseJson(query, "buildargs", buildArgsSchema) ?? {})),
    labels: new Map(Object.entries(parseJson(query, "labels", labelsSchema) ?? {})),
    isCacheUsed: !queryBoolean(query, "nocache"),
    cacheFrom: parseJson(query, "cachefrom", cacheFromSchema) ?? [],
    isPullForced: queryBoolean(query, "pull"),
    platform: platform === "" ? undefined : parsePlatform(platform),
    limits: parseLimits(query),
    removesContainers: queryBoolean(query, "rm", true),
    removesFailedContainers: queryBoolean(query, "forcerm"),
    registryConfig: call.header("x-registry-config"),
  };
}

function parseLimits(query: URLSearchParams): RunLimits {
  return {
    memoryBytes: queryInteger(query, "memory") ?? 0,
    memorySwapBytes: queryInteger(query, "memswap") ?? 0,
    cpuShares: queryInteger(query, "cpushares") ?? 0,
    cpuPeriodMicros: queryInteger(query, "cpuperiod") ?? 0,
    cpuQuotaMicros: queryInteger(query, "cpuquota") ?? 0,
    cpusetCpus: query.get("cpusetcpus") ?? "",
    cpusetMems: query.get("cpusetmems") ?? "",
    shmBytes: queryInteger(query, "shmsize") ?? 0,
    ulimits: parseJson(query, "ulimits", ulimitsSchema) ?? [],
    extraHosts: query.getAll("extrahosts").filter((host) => host !== ""),
    cgroupParent: query.get("cgroupparent") ?? "",
    networkMode: query.get("networkmode") ?? "default",
  };
}

function refuseUnknown(query: URLSearchParams): void {
  if (query.get("version") === "2") {
    throw new FlotillaError("not_implemented", "the BuildKit protocol is not supported: build with DOCKER_BUILDKIT=0");
  }
  if (queryBoolean(query, "squash")) throw new FlotillaError("not_implemented", "squash is only supported with experimental mode");
  const options = query.get("securityopt") ?? "";
  if (options !== "" && options !== "null" && options !== "[]") {
    throw new FlotillaError("not_implemented", "security options of a build are not supported");
  }
  const outputs = query.get("outputs") ?? "";
  if (outputs !== "" && outputs !== "null" && outputs !== "[]") {
    throw new FlotillaError("not_implemented", "the classic builder makes an image: outputs need the BuildKit protocol");
  }
}

function assertTag(tag: string): void {
  try {
    if (withDefaultTag(parseReference(tag)).digest !== undefined) {
      throw new FlotillaError("invalid", "refusing to create a tag with a digest reference");
    }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new FlotillaError("invalid", `invalid reference format: ${message}`.replace(/^(invalid reference format: )\1/, "$1"), {
      cause: error,
    });
  }
}

function parseJson<T extends z.ZodType>(query: URLSearchParams, name: string, schema: T): z.output<T> | undefined {
  const text = query.get(name);
  if (text === null || text === "" || text === "null") return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new FlotillaError("invalid", `error reading ${name}: ${error instanceof Error ? error.message : "not JSON"}`, { cause: error });
  }
  const result = schema.safeParse(value);
  if (!result.success) throw new FlotillaError("invalid", `error reading ${name}: ${result.error.issues[0]?.message ?? "wrong shape"}`);
  return result.data;
}
