import { FlotillaError, type ErrorCode } from "@flotilla/core";
import { z } from "zod";
import { readBody } from "./body.ts";
import type { HttpResponse } from "./http-client.ts";

/** Error body of the distribution specification. */
const errorsSchema = z.object({ errors: z.array(z.object({ code: z.string(), message: z.string().nullish() })).min(1) });
/** Token servers answer with `details` or as OAuth does. */
const otherSchema = z.object({ details: z.string().optional(), error_description: z.string().optional(), error: z.string().optional() });

const MAX_ERROR_BYTES = 64 * 1024;
const MAX_MESSAGE = 512;

const CODES: Readonly<Record<number, ErrorCode>> = {
  400: "invalid",
  401: "unauthenticated",
  403: "forbidden",
  404: "not_found",
  409: "conflict",
  413: "too_large",
  416: "range",
  429: "rate_limited",
  507: "exhausted",
};
/** The answer to HEAD has no body that could say it. */
const WITHOUT_WORDS: Readonly<Record<number, string>> = {
  401: "unauthorized: authentication required",
  403: "denied: requested access to the resource is denied",
};
const RETRYABLE = new Set([408, 429, 500, 502, 503, 504]);

/** The error that an answer is: `manifest unknown: manifest unknown`. `details`: `status`, `registryCode`, `isRetryable`, `retryAfterMs`. */
export async function errorOfResponse(response: HttpResponse, stallTimeoutMs: number): Promise<FlotillaError> {
  const { status } = response;
  const text = await readBody(response, { maxBytes: MAX_ERROR_BYTES, stallTimeoutMs })
    .then((body) => body.toString("utf8"))
    .catch(() => "");
  const { registryCode, message } = understand(text);
  const isRetryable = RETRYABLE.has(status);
  const retryAfterMs = Number(response.headers["retry-after"]) * 1000;
  const fallback = WITHOUT_WORDS[status] ?? `received unexpected HTTP status: ${status} from ${response.url.host}`;
  return new FlotillaError(CODES[status] ?? (isRetryable ? "unavailable" : "internal"), message ?? fallback, {
    details: {
      status,
      isRetryable,
      ...(registryCode === undefined ? {} : { registryCode }),
      ...(retryAfterMs >= 0 ? { retryAfterMs } : {}),
    },
  });
}

function understand(text: string): { registryCode?: string; message?: string } {
  const json = parseJson(text);
  const errors = errorsSchema.safeParse(json);
  const [first] = errors.success ? errors.data.errors : [];
  if (first !== undefined) {
    const name = printable(first.code).toLowerCase().replaceAll("_", " ");
    const message = printable(first.message ?? "");
    return { registryCode: first.code, message: message === "" ? name : `${name}: ${message}` };
  }
  const other = otherSchema.safeParse(json);
  const message = other.success ? (other.data.details ?? other.data.error_description ?? other.data.error) : undefined;
  return message === undefined ? {} : { message: printable(message) };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A registry's words go to terminals and logs. */
function printable(text: string): string {
  return text.replace(/\p{C}+/gu, " ").slice(0, MAX_MESSAGE);
}

/** Docker's words for a pull that went wrong. @param names `name` is familiar, `full` with its tag or digest. */
export function pullError(error: unknown, names: { name: string; full: string; isAnonymous: boolean }): unknown {
  if (!(error instanceof FlotillaError)) return error;
  const { registryCode, status } = error.details;
  const rename = (code: ErrorCode, words: string): FlotillaError => {
    return new FlotillaError(code, `${words}: ${error.message}`, { cause: error, details: error.details });
  };
  const isDenied = registryCode === "DENIED" || status === 403 || (status === 401 && names.isAnonymous);
  if (isDenied) return rename("not_found", `pull access denied for ${names.name}, repository does not exist or may require 'docker login'`);
  if (registryCode === "MANIFEST_UNKNOWN") return rename("not_found", `manifest for ${names.full} not found`);
  if (registryCode === "NAME_UNKNOWN") return rename("not_found", `repository ${names.name} not found`);
  if (status === 404)
    return new FlotillaError("not_found", `manifest for ${names.full} not found: manifest unknown`, {
      cause: error,
      details: error.details,
    });
  return error;
}
