import { FlotillaError } from "@flotilla/core";
import type { RunConfig } from "./image-config.ts";
import type { CommandForm } from "./instruction-arguments.ts";

type Healthcheck = NonNullable<RunConfig["Healthcheck"]>;

const NANOS: Readonly<Record<string, number>> = { ns: 1, us: 1e3, µs: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };
/** Docker refuses shorter times, which would only burn processor time. */
const MIN_NANOS = 1e6;

const DURATION_FLAGS: Readonly<Record<string, "Interval" | "Timeout" | "StartPeriod" | "StartInterval">> = {
  interval: "Interval",
  timeout: "Timeout",
  "start-period": "StartPeriod",
  "start-interval": "StartInterval",
};

/** `HEALTHCHECK [--interval=D …] CMD …` or `HEALTHCHECK NONE`. @throws FlotillaError `invalid`. */
export function parseHealthcheck(text: string, parseCommand: (text: string) => CommandForm): Healthcheck {
  const health: Healthcheck = {};
  let rest = text;
  for (let flag = /^--(\S+)\s*/.exec(rest); flag !== null; flag = /^--(\S+)\s*/.exec(rest)) {
    applyFlag(health, flag[1] ?? "");
    rest = rest.slice(flag[0].length);
  }
  const [, type = "", command = ""] = /^(\S+)\s*([\s\S]*)$/.exec(rest) ?? [];
  if (type.toUpperCase() === "NONE") {
    if (command !== "") throw new FlotillaError("invalid", "HEALTHCHECK NONE takes no arguments");
    return { Test: ["NONE"] };
  }
  if (type.toUpperCase() !== "CMD") throw new FlotillaError("invalid", `Unknown type "${type}" in HEALTHCHECK (try CMD)`);
  const form = parseCommand(command);
  const isEmpty = form.kind === "exec" ? form.argv.length === 0 : form.line === "";
  if (isEmpty) throw new FlotillaError("invalid", "Missing command after HEALTHCHECK CMD");
  health.Test = form.kind === "exec" ? ["CMD", ...form.argv] : ["CMD-SHELL", form.line];
  return health;
}

function applyFlag(health: Healthcheck, flag: string): void {
  const [name = "", value = ""] = flag.split(/=([\s\S]*)/);
  if (name === "retries") {
    if (!/^\d{1,9}$/.test(value)) throw new FlotillaError("invalid", `invalid --retries: ${value}`);
    health.Retries = Number(value);
    return;
  }
  const field = Object.hasOwn(DURATION_FLAGS, name) ? DURATION_FLAGS[name] : undefined;
  if (field === undefined) throw new FlotillaError("invalid", `unknown flag: --${name}`);
  health[field] = parseDurationNanos(name, value);
}

/** A Go duration such as `1m30s`, in nanoseconds. */
function parseDurationNanos(flag: string, text: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)];
  const isWhole = parts.map((part) => part[0]).join("") === text;
  if (text !== "0" && (parts.length === 0 || !isWhole)) throw new FlotillaError("invalid", `time: invalid duration "${text}"`);
  const nanos = parts.reduce((sum, [, amount, unit = ""]) => sum + Number(amount) * (NANOS[unit] ?? 0), 0);
  if (nanos !== 0 && nanos < MIN_NANOS) throw new FlotillaError("invalid", `Interval "${flag}" cannot be less than 1ms`);
  return Math.round(nanos);
}
