import { isIP } from "node:net";
import { join } from "node:path";
import { FlotillaError, wrapError } from "@flotilla/core";
import { checkPool, type StreamLimits } from "@flotilla/services";
import { z } from "zod";

/** Everything the control plane is told from outside, read once. */
export type ControlConfig = {
  /** Durable data of the control plane: `$FLOTILLA_DATA/control`. */
  dataDir: string;
  listen: { host: string; port: number };
  /** Where people and agents reach it, without a slash at the end. */
  publicUrl: string;
  /** Where other control planes of the same database reach this one; undefined: where it listens. */
  peerUrl: string | undefined;
  /** A TLS-terminating proxy that the operator runs in front: its X-Forwarded-For and -Proto are believed. */
  isBehindProxy: boolean;
  /** Certificate and key files, when it terminates TLS itself. */
  tls: { certFile: string; keyFile: string } | undefined;
  databaseUrl: string | undefined;
  /** Where overlay networks get subnets that nobody chose; the default one without. */
  overlayPool: string | undefined;
  admin: { email: string; password: string; token: string | undefined } | undefined;
  /** Rows of the audit are kept for so many days; undefined keeps them all. */
  auditDays: number | undefined;
  /** Calls a second that one token or session may make without end; 0: any number. */
  apiRate: number;
  /** Streams (logs, figures, events, calls of the Docker API) that may be open at once; 0: any number. */
  streams: StreamLimits;
  logLevel: "debug" | "info" | "warn" | "error";
};

const text = z
  .string()
  .optional()
  .transform((value) => (value === "" ? undefined : value));
const streamCount = (standard: number) =>
  text
    .refine((count) => count === undefined || /^\d{1,6}$/.test(count), "must be a number of streams, or 0 for no limit")
    .transform((count) => (count === undefined ? standard : Number(count)));
const variables = z.object({
  FLOTILLA_DATA: text,
  FLOTILLA_LISTEN: text,
  FLOTILLA_URL: text,
  FLOTILLA_PEER_URL: text,
  FLOTILLA_BEHIND_PROXY: z.enum(["", "0", "1"]).optional(),
  FLOTILLA_TLS_CERT: text,
  FLOTILLA_TLS_KEY: text,
  DATABASE_URL: text,
  FLOTILLA_OVERLAY_POOL: text,
  FLOTILLA_ADMIN_EMAIL: text,
  FLOTILLA_ADMIN_PASSWORD: text,
  FLOTILLA_ADMIN_TOKEN: z
    .string()
    .regex(/^flt_[A-Za-z0-9_-]{32,}$/, "must be flt_ and at least 32 letters or digits")
    .max(128)
    .optional(),
  FLOTILLA_AUDIT_DAYS: text
    .refine((days) => days === undefined || (/^\d{2,5}$/.test(days) && Number(days) >= 30), "must be a number of days, at least 30")
    .transform((days) => (days === undefined ? undefined : Number(days))),
  FLOTILLA_API_RATE: text
    .refine((rate) => rate === undefined || /^\d{1,6}$/.test(rate), "must be a number of calls a second, or 0 for no limit")
    .transform((rate) => (rate === undefined ? 100 : Number(rate))),
  FLOTILLA_STREAMS: streamCount(5_000),
  FLOTILLA_STREAMS_PER_PERSON: streamCount(300),
  FLOTILLA_LOG: z.enum(["debug", "info", "warn", "error"]).default("info"),
});

/** @throws invalid, naming the variable. */
export function readControlConfig(env: Readonly<Record<string, string | undefined>>): ControlConfig {
  const parsed = variables.safeParse(env);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new FlotillaError("invalid", `${issue?.path.join(".") ?? "environment"}: ${issue?.message ?? "invalid"}`);
  }
  const read = parsed.data;
  const data = read.FLOTILLA_DATA ?? "/var/lib/flotilla";
  if (!data.startsWith("/")) throw new FlotillaError("invalid", `FLOTILLA_DATA must be an absolute path, not "${data}"`);
  const listen = parseListen(read.FLOTILLA_LISTEN ?? "127.0.0.1:7420");
  const tls = readTls(read.FLOTILLA_TLS_CERT, read.FLOTILLA_TLS_KEY);
  const isBehindProxy = read.FLOTILLA_BEHIND_PROXY === "1";
  if (!isLoopbackAddress(listen.host) && tls === undefined && !isBehindProxy) {
    throw new FlotillaError(
      "invalid",
      `FLOTILLA_LISTEN=${read.FLOTILLA_LISTEN ?? ""} is not loopback: set FLOTILLA_TLS_CERT and FLOTILLA_TLS_KEY, or FLOTILLA_BEHIND_PROXY=1 when a proxy terminates TLS`,
    );
  }
  return {
    dataDir: join(data, "control"),
    listen,
    publicUrl:
      readUrl("FLOTILLA_URL", read.FLOTILLA_URL) ?? `${tls === undefined ? "http" : "https"}://${formatHost(listen.host)}:${listen.port}`,
    peerUrl: readPeerUrl(read.FLOTILLA_PEER_URL),
    isBehindProxy,
    tls,
    databaseUrl: read.DATABASE_URL,
    overlayPool: readPool(read.FLOTILLA_OVERLAY_POOL),
    admin: readAdmin(read),
    auditDays: read.FLOTILLA_AUDIT_DAYS,
    apiRate: read.FLOTILLA_API_RATE,
    streams: { perPerson: read.FLOTILLA_STREAMS_PER_PERSON, perProcess: read.FLOTILLA_STREAMS },
    logLevel: read.FLOTILLA_LOG,
  };
}

function readPool(value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  try {
    return checkPool(value);
  } catch (error) {
    throw wrapError("FLOTILLA_OVERLAY_POOL", error);
  }
}

function parseListen(value: string): ControlConfig["listen"] {
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(value);
  const port = Number(match?.[3]);
  const host = match?.[1] ?? match?.[2];
  if (host === undefined || !(port <= 65_535)) throw new FlotillaError("invalid", `FLOTILLA_LISTEN must be ADDRESS:PORT, not "${value}"`);
  return { host, port };
}

function formatHost(host: string): string {
  if (isAnyAddress(host)) return "127.0.0.1";
  return isIP(host) === 6 ? `[${host}]` : host;
}

/** Whether it listens on every address: that is none to be reached at. */
export function isAnyAddress(host: string): boolean {
  return host === "0.0.0.0" || host === "::";
}

export function isLoopbackAddress(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127.")) || host.startsWith("::ffff:127.");
}

function readUrl(name: string, value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  if (!/^https?:\/\/[^/?#\s]+\/?$/.test(value) || !URL.canParse(value))
    throw new FlotillaError("invalid", `${name} must be like https://flotilla.example.org, not "${value}"`);
  return value.replace(/\/$/, "");
}

/** Calls that other control planes pass on are as secret as those of users. */
function readPeerUrl(value: string | undefined): string | undefined {
  const url = readUrl("FLOTILLA_PEER_URL", value);
  if (url?.startsWith("http:") === true && !isLoopbackAddress(new URL(url).hostname.replace(/^\[|\]$/g, "")))
    throw new FlotillaError("invalid", `FLOTILLA_PEER_URL must be https unless it is of this machine, not "${url}"`);
  return url;
}

function readTls(certFile: string | undefined, keyFile: string | undefined): ControlConfig["tls"] {
  if (certFile === undefined && keyFile === undefined) return undefined;
  if (certFile === undefined || keyFile === undefined)
    throw new FlotillaError("invalid", "FLOTILLA_TLS_CERT and FLOTILLA_TLS_KEY belong together");
  return { certFile, keyFile };
}

function readAdmin(read: z.output<typeof variables>): ControlConfig["admin"] {
  const { FLOTILLA_ADMIN_EMAIL: email, FLOTILLA_ADMIN_PASSWORD: password, FLOTILLA_ADMIN_TOKEN: token } = read;
  if (email === undefined && password === undefined) return undefined;
  if (email === undefined || password === undefined)
    throw new FlotillaError("invalid", "FLOTILLA_ADMIN_EMAIL and FLOTILLA_ADMIN_PASSWORD belong together");
  return { email, password, token };
}
