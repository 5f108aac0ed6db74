import type { RunSpec } from "@flotilla/api";
// zod/mini: the same schemas, of which a page loads a third.
import * as z from "zod/mini";
import { parseSize, sizeToText } from "./format.ts";
import { joinWords, splitWords } from "./shell-words.ts";

// The form holds texts as they are typed; messages are keys of `run.errors` in the catalogue of texts.

const optional = (schema: z.ZodMiniType<string, string>) => z.union([z.literal(""), schema]);
const matching = (pattern: RegExp, error: string) => z.string().check(z.regex(pattern, error));
const filled = (error: string) => z.string().check(z.minLength(1, error));
const port = matching(/^\d{1,5}$/, "port").check(z.refine((text) => Number(text) >= 1 && Number(text) <= 65_535, "port"));
const words = z.string().check(z.refine((line) => splitWords(line) !== null, "quotes"));

export const runFormSchema = z
  .object({
    host: filled("host"),
    image: z.string().check(z.trim(), z.minLength(1, "image")),
    name: optional(matching(/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/, "name")),
    command: words,
    entrypoint: words,
    ports: z.array(
      z.object({ hostIp: z.string(), hostPort: z.union([z.literal(""), port]), containerPort: port, protocol: z.enum(["tcp", "udp"]) }),
    ),
    env: z.array(z.object({ name: matching(/^[^=\s]+$/, "envName"), value: z.string() })),
    mounts: z.array(
      z
        .object({
          kind: z.enum(["bind", "volume", "tmpfs"]),
          source: z.string(),
          target: matching(/^\//, "absolute"),
          readOnly: z.boolean(),
        })
        .check(z.refine((mount) => mount.kind !== "bind" || mount.source.startsWith("/"), { error: "absolute", path: ["source"] })),
    ),
    restart: z.enum(["no", "always", "unless-stopped", "on-failure"]),
    retries: z.union([z.literal(""), matching(/^\d+$/, "number")]),
    memory: z.union([z.literal(""), z.string().check(z.refine((text) => parseSize(text) !== null, "size"))]),
    cpus: z.union([z.literal(""), matching(/^\d*\.?\d+$/, "number")]),
    pidsLimit: z.union([z.literal(""), matching(/^-?\d+$/, "number")]),
    network: z.string(),
    hostname: z.string(),
    user: z.string(),
    workingDir: optional(matching(/^\//, "absolute")),
    labels: z.array(z.object({ name: filled("labelName"), value: z.string() })),
    capAdd: z.string(),
    capDrop: z.string(),
    tty: z.boolean(),
    interactive: z.boolean(),
    autoRemove: z.boolean(),
    privileged: z.boolean(),
    init: z.boolean(),
    readOnly: z.boolean(),
  })
  .check(z.refine((form) => !form.autoRemove || form.restart === "no", { error: "autoRemove", path: ["autoRemove"] }));

export type RunForm = z.infer<typeof runFormSchema>;

export const EMPTY_RUN_FORM: RunForm = {
  host: "",
  image: "",
  name: "",
  command: "",
  entrypoint: "",
  ports: [],
  env: [],
  mounts: [],
  restart: "no",
  retries: "",
  memory: "",
  cpus: "",
  pidsLimit: "",
  network: "",
  hostname: "",
  user: "",
  workingDir: "",
  labels: [],
  capAdd: "",
  capDrop: "",
  tty: false,
  interactive: false,
  autoRemove: false,
  privileged: false,
  init: false,
  readOnly: false,
};

/** What a spec holds that the form has no field for. A pasted line may bring it; it is kept, and shown in the docker line. */
export type RunExtras = Pick<
  RunSpec,
  | "publishAll"
  | "cpuShares"
  | "shmSizeBytes"
  | "dns"
  | "extraHosts"
  | "devices"
  | "securityOpt"
  | "ulimits"
  | "stopSignal"
  | "stopTimeoutSeconds"
>;

export const NO_EXTRAS: RunExtras = { publishAll: false, dns: [], extraHosts: [], devices: [], securityOpt: [], ulimits: [] };

export function extrasOf(spec: RunSpec): RunExtras {
  const { publishAll, cpuShares, shmSizeBytes, dns, extraHosts, devices, securityOpt, ulimits, stopSignal, stopTimeoutSeconds } = spec;
  return { publishAll, cpuShares, shmSizeBytes, dns, extraHosts, devices, securityOpt, ulimits, stopSignal, stopTimeoutSeconds };
}

const orNothing = (text: string): string | undefined => (text.trim() === "" ? undefined : text.trim());
const numberOrNothing = (text: string): number | undefined => (text.trim() === "" ? undefined : Number(text));
const wordsOrNothing = (text: string): string[] | undefined => {
  const list = splitWords(text) ?? [];
  return list.length === 0 ? undefined : list;
};
const names = (text: string): string[] => text.split(/[\s,]+/).filter((name) => name !== "");

/** A checked form as the spec that is sent. Empty fields are left out, so that the image's own settings hold. */
export function formToSpec(form: RunForm, extras: RunExtras): RunSpec {
  return {
    ...extras,
    image: form.image.trim(),
    name: orNothing(form.name),
    command: wordsOrNothing(form.command),
    entrypoint: wordsOrNothing(form.entrypoint),
    env: form.env,
    ports: form.ports.map(({ hostIp, hostPort, containerPort, protocol }) => ({
      hostIp: orNothing(hostIp),
      hostPort: numberOrNothing(hostPort),
      containerPort: Number(containerPort),
      protocol,
    })),
    mounts: form.mounts.map(({ kind, source, target, readOnly }) => ({
      kind,
      source: kind === "tmpfs" ? undefined : orNothing(source),
      target,
      readOnly: kind !== "tmpfs" && readOnly,
    })),
    restart: { name: form.restart, maximumRetryCount: form.restart === "on-failure" ? numberOrNothing(form.retries) : undefined },
    memoryBytes: form.memory === "" ? undefined : (parseSize(form.memory) ?? undefined),
    cpus: numberOrNothing(form.cpus),
    pidsLimit: numberOrNothing(form.pidsLimit),
    network: orNothing(form.network),
    hostname: orNothing(form.hostname),
    user: orNothing(form.user),
    workingDir: orNothing(form.workingDir),
    labels: form.labels,
    capAdd: names(form.capAdd),
    capDrop: names(form.capDrop),
    ...pickSwitches(form),
  };
}

type Switches = Pick<RunSpec, "tty" | "interactive" | "autoRemove" | "privileged" | "init" | "readOnly">;

function pickSwitches({ tty, interactive, autoRemove, privileged, init, readOnly }: Switches): Switches {
  return { tty, interactive, autoRemove, privileged, init, readOnly };
}

/** A spec (of a pasted line, or of a container to run again) as the form that shows it. */
export function specToForm(spec: RunSpec, host: string): RunForm {
  return {
    host,
    image: spec.image,
    name: spec.name ?? "",
    command: joinWords(spec.command ?? []),
    entrypoint: joinWords(spec.entrypoint ?? []),
    env: spec.env,
    ports: spec.ports.map(({ hostIp, hostPort, containerPort, protocol }) => ({
      hostIp: hostIp ?? "",
      hostPort: hostPort?.toString() ?? "",
      containerPort: String(containerPort),
      protocol,
    })),
    mounts: spec.mounts.map(({ kind, source, target, readOnly }) => ({ kind, source: source ?? "", target, readOnly })),
    restart: spec.restart.name,
    retries: spec.restart.maximumRetryCount?.toString() ?? "",
    memory: spec.memoryBytes === undefined ? "" : sizeToText(spec.memoryBytes),
    cpus: spec.cpus?.toString() ?? "",
    pidsLimit: spec.pidsLimit?.toString() ?? "",
    network: spec.network ?? "",
    hostname: spec.hostname ?? "",
    user: spec.user ?? "",
    workingDir: spec.workingDir ?? "",
    labels: spec.labels,
    capAdd: spec.capAdd.join(" "),
    capDrop: spec.capDrop.join(" "),
    ...pickSwitches(spec),
  };
}
