// Placement constraints and preferences as Docker Swarm writes them. Pure.
import { FlotillaError } from "@flotilla/core";
import { type Reason, reason } from "./reason.ts";
import type { Constraint, ScheduleHost } from "./schedule-types.ts";

const FORM = /^\s*([A-Za-z][\w.-]*)\s*(==|!=)\s*(.*?)\s*$/;
const LABEL_PREFIXES = ["node.labels.", "engine.labels."];
const KINDS: Readonly<Record<string, Constraint["kind"]>> = {
  "node.hostname": "hostname",
  "node.id": "id",
  "node.platform.os": "os",
  "node.platform.arch": "architecture",
};

export type ParsedConstraints = { constraints: Constraint[]; ignored: string[] };

/**
 * Reads `deploy.placement.constraints`. `node.role` means nothing here, as no host is a manager: it is among the ignored.
 * @throws FlotillaError `invalid` for what is no constraint; its details say it as data: a code with values.
 */
export function parseConstraints(texts: readonly string[]): ParsedConstraints {
  const constraints: Constraint[] = [];
  const ignored: string[] = [];
  for (const text of texts) {
    const [, key = "", operator, value = ""] = FORM.exec(text) ?? [];
    if (operator === undefined || value === "")
      throw invalid(`invalid constraint "${text}": write key==value or key!=value`, { code: "constraint_form", text });
    const prefix = LABEL_PREFIXES.find((known) => key.startsWith(known) && key.length > known.length);
    const kind = prefix === undefined ? KINDS[key] : "label";
    if (key === "node.role") ignored.push(text);
    else if (kind === undefined) {
      const known = `node.labels.NAME, ${Object.keys(KINDS).join(", ")}`;
      throw invalid(`invalid constraint "${text}": ${key} is unknown; known are ${known}`, { code: "constraint_key", text, key, known });
    } else constraints.push({ kind, label: key.slice(prefix?.length ?? 0), operator: operator as Constraint["operator"], value });
  }
  return { constraints: constraints.map((item) => (item.kind === "label" ? item : { ...item, label: "" })), ignored };
}

/**
 * Reads `deploy.placement.preferences`: the names of labels whose values replicas are spread over.
 * @throws FlotillaError `invalid`.
 */
export function parsePreferences(spreads: readonly string[]): string[] {
  return spreads.map((text) => {
    const prefix = LABEL_PREFIXES.find((known) => text.startsWith(known) && text.length > known.length);
    if (prefix === undefined)
      throw invalid(`invalid preference "${text}": spread over node.labels.NAME`, { code: "preference_form", text });
    return text.slice(prefix.length);
  });
}

const invalid = (sentence: string, details: Record<string, string>): FlotillaError => new FlotillaError("invalid", sentence, { details });

/** Whether a host satisfies a constraint. A label that is not there is equal to nothing. */
export function satisfies(host: Pick<ScheduleHost, "id" | "name" | "labels" | "os" | "architecture">, constraint: Constraint): boolean {
  const isEqual = valueOf(host, constraint)?.toLowerCase() === constraint.value.toLowerCase();
  return constraint.operator === "==" ? isEqual : !isEqual;
}

/** Names of architectures are those of Go; what uname says is the same. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x86_64: "amd64", aarch64: "arm64", armv7l: "arm" };

function valueOf(
  host: Pick<ScheduleHost, "id" | "name" | "labels" | "os" | "architecture">,
  { kind, label }: Constraint,
): string | undefined {
  switch (kind) {
    case "label":
      return Object.hasOwn(host.labels, label) ? host.labels[label] : undefined;
    case "hostname":
      return host.name;
    case "id":
      return host.id;
    case "os":
      return host.os;
    case "architecture":
      return ARCHITECTURES[host.architecture] ?? host.architecture;
  }
}

/** What a host does that does not satisfy a constraint: "lacks label disk=ssd". @param names of hosts, by id: nobody knows them by ids. */
export function violation({ kind, label, operator, value }: Constraint, names: ReadonlyMap<string, string>): Reason {
  const isNegative = operator === "!=";
  if (kind === "label") return reason(isNegative ? "has_label" : "lacks_label", { label, value });
  const what = kind === "hostname" || kind === "id" ? "host" : kind === "os" ? "system" : "architecture";
  const shown = kind === "id" ? (names.get(value) ?? value) : value;
  return reason(isNegative ? `is_${what}` : `is_not_${what}`, { value: shown });
}
