import { formatPortRanges, parsePortRanges } from "./rights.ts";
import type { GrantRow } from "@/trpc/types.ts";

/** What is typed when a host is shared. An empty limit is none; `-` for ports is no port at all. */
export type GrantForm = { team: string; containers: string; cpus: string; memory: string; ports: string };
type Limits = GrantRow["limits"];
type Limit = "containers" | "cpus" | "memory" | "ports";

const MIB = 1024 * 1024;
const UNITS: Readonly<Record<string, number>> = { m: MIB, g: 1024 * MIB, t: 1024 * 1024 * MIB };
const MIN_MEMORY = 16 * MIB;

export function toGrantForm(grant: GrantRow | null): GrantForm {
  const limits: Limits = grant?.limits ?? {};
  const { containers, cpus, memoryBytes, hostPorts } = limits;
  return {
    team: grant?.team.slug ?? "",
    containers: containers === undefined ? "" : String(containers),
    cpus: cpus === undefined ? "" : String(cpus),
    memory: memoryBytes === undefined ? "" : `${Math.round(memoryBytes / MIB)}m`,
    ports: hostPorts === undefined ? "" : hostPorts.length === 0 ? "-" : formatPortRanges(hostPorts),
  };
}

/** The limits of a form, undefined while something in it is wrong; `wrong` says what. */
export function readGrantForm(form: GrantForm): { limits: Limits | undefined; wrong: Limit[] } {
  const parsed = {
    containers: optional(form.containers, readCount),
    cpus: optional(form.cpus, readCpus),
    memory: optional(form.memory, readMemory),
    ports: optional(form.ports, (text) => (text === "-" ? [] : parsePortRanges(text))),
  };
  const names = ["containers", "cpus", "memory", "ports"] as const;
  const wrong = names.filter((name) => parsed[name] === "wrong");
  if (wrong.length > 0) return { limits: undefined, wrong };
  const { containers, cpus, memory, ports } = parsed;
  return {
    limits: {
      ...(typeof containers === "number" ? { containers } : {}),
      ...(typeof cpus === "number" ? { cpus } : {}),
      ...(typeof memory === "number" ? { memoryBytes: memory } : {}),
      ...(Array.isArray(ports) ? { hostPorts: ports } : {}),
    },
    wrong,
  };
}

/** Undefined for an empty text, "wrong" for one that is not understood. */
function optional<T>(text: string, read: (text: string) => T | undefined): T | undefined | "wrong" {
  const trimmed = text.trim();
  return trimmed === "" ? undefined : (read(trimmed) ?? "wrong");
}

function readCount(text: string): number | undefined {
  return /^\d{1,5}$/.test(text) ? Number(text) : undefined;
}

function readCpus(text: string): number | undefined {
  const cpus = /^\d{1,4}(\.\d{1,3})?$/.test(text) ? Number(text) : 0;
  return cpus >= 0.01 && cpus <= 4_096 ? cpus : undefined;
}

function readMemory(text: string): number | undefined {
  const [, amount = "", unit = ""] = /^(\d{1,6}(?:\.\d{1,3})?)\s*([mgt])i?b?$/i.exec(text) ?? [];
  const bytes = Math.round(Number(amount) * (UNITS[unit.toLowerCase()] ?? 0));
  return bytes >= MIN_MEMORY ? bytes : undefined;
}
