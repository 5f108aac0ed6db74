// What a lab is, as data: its name, its directory, the addresses and names of its nodes. Everything else (processes,
// namespaces, links) is found again by these names, so a lab survives the death of the command that made it.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { readConfig, type AgentConfig } from "../../agent/src/config.ts";
import { COMPILE_CACHE } from "../support/compile-cache.ts";

const LABS_DIRECTORY = "/var/tmp/flotilla-lab";
const CONTROL_PORT = 7420;
const MAX_HOSTS = 64;

export const CONTROL_NODE = "control";
export const SWITCH_NODE = "switch";
/** The machine itself: its root namespace has a port of the switch too. */
export const MACHINE_NODE = "machine";

const labName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,30}$/, "a lab's name has up to 31 lower-case letters, digits and dashes, and begins with no dash");

export const LabPlan = z.object({
  version: z.literal(1),
  name: labName,
  hostCount: z.int().min(1).max(MAX_HOSTS),
  /** Third byte of 198.19.x.0/24 (RFC 2544: no network of the world has it) and of fd5f:1ab::x:0/112. */
  subnetByte: z.int().min(0).max(255),
  /** Of the links between nodes and switch. */
  mtuBytes: z.int().min(1280).max(65_535),
  /** Without a control plane: only hosts, for tests that drive agents themselves. */
  hasControl: z.boolean(),
  hasDashboard: z.boolean(),
  /** Whether each host's agent has a wall clock of its own, which `clock` sets: libfaketime stands between it and the machine's. */
  hasClocks: z.boolean().default(false),
  adminToken: z.string(),
  adminPassword: z.string(),
});
export type LabPlan = z.output<typeof LabPlan>;

export const labDirectory = (name: string): string => join(LABS_DIRECTORY, labName.parse(name));
const planFile = (name: string): string => join(labDirectory(name), "lab.json");

export function writePlan(plan: LabPlan): void {
  mkdirSync(labDirectory(plan.name), { recursive: true, mode: 0o711 });
  const file = planFile(plan.name);
  writeFileSync(`${file}.new`, `${JSON.stringify(plan, undefined, 2)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

/** undefined when there is no lab of that name. */
export function readPlan(name: string): LabPlan | undefined {
  const file = planFile(name);
  return existsSync(file) ? LabPlan.parse(JSON.parse(readFileSync(file, "utf8"))) : undefined;
}

export function listLabs(): string[] {
  return existsSync(LABS_DIRECTORY) ? readdirSync(LABS_DIRECTORY).filter((name) => labName.safeParse(name).success) : [];
}

/** `h1`, `h2`, … */
export const hostNames = (plan: LabPlan): string[] => Array.from({ length: plan.hostCount }, (_, index) => `h${index + 1}`);

/** Hosts and, when there is one, the control plane. */
export const nodeNames = (plan: LabPlan): string[] => [...(plan.hasControl ? [CONTROL_NODE] : []), ...hostNames(plan)];

/** Last byte of a node's addresses: the control plane 1, hosts from 11, the machine 254. */
function nodeNumber(node: string): number {
  if (node === CONTROL_NODE) return 1;
  return node === MACHINE_NODE ? 254 : 10 + Number(node.slice(1));
}

export const nodeAddress = (plan: LabPlan, node: string): string => `198.19.${plan.subnetByte}.${nodeNumber(node)}`;
export const nodeAddress6 = (plan: LabPlan, node: string): string =>
  `fd5f:1ab::${plan.subnetByte.toString(16)}:${nodeNumber(node).toString(16)}`;
export const nodeMac = (plan: LabPlan, node: string): string =>
  `02:fa:00:00:${[plan.subnetByte, nodeNumber(node)].map((byte) => byte.toString(16).padStart(2, "0")).join(":")}`;

/** The switch's end of a node's link. */
export const switchPort = (node: string): string => `p-${node}`;
/** The machine's end of its link to the switch; names of links have at most 15 bytes. */
export const machineLink = (name: string): string => `fll${createHash("sha256").update(name).digest("hex").slice(0, 10)}`;

export const controlUrl = (plan: LabPlan): string => `https://${nodeAddress(plan, CONTROL_NODE)}:${CONTROL_PORT}`;

/** A host's own directories; `run` is emptied by a reboot. */
export const hostDirectory = (plan: LabPlan, host: string): string => join(labDirectory(plan.name), "hosts", host);

/** How far a host's wall clock is from the machine's, as libfaketime reads it: `+3600`. */
export const clockFile = (plan: LabPlan, host: string): string => join(hostDirectory(plan, host), "clock");

/** What its agent is told from outside. */
export function hostEnvironment(plan: LabPlan, host: string): Record<string, string> {
  const directory = hostDirectory(plan, host);
  return {
    FLOTILLA_DATA: join(directory, "data"),
    FLOTILLA_RUN: join(directory, "run"),
    FLOTILLA_LOG: "debug",
    ...COMPILE_CACHE,
    NODE_EXTRA_CA_CERTS: join(labDirectory(plan.name), "tls", "ca.pem"),
  };
}

export const hostConfig = (plan: LabPlan, host: string): AgentConfig => readConfig(hostEnvironment(plan, host));
