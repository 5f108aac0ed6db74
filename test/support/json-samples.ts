/** What a generator needs of a JSON Schema (2020-12). */
export type Schema = {
  type?: string | string[];
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  anyOf?: Schema[];
  oneOf?: Schema[];
  enum?: unknown[];
  const?: unknown;
  pattern?: string;
  format?: string;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  additionalProperties?: Schema | boolean;
};

type Random = () => number;

/** Texts that some pattern of the API takes: one of those that fit is chosen. */
const TEXTS = ["web-1", "c1", "team/app", "v1", `sha256:${"0".repeat(64)}`, "a@example.test", "2026-01-02T03:04:05Z", "eA==", "10.9.0.0/16", "10.9.0.1", "https://registry.example.test", "compose.yaml", "container.remove", "Ä ü 界", "x".repeat(64), "0", "-1"]; // prettier-ignore
/** What nobody should send. */
const WRONG: readonly unknown[] = [null, true, -1, 1e308, 0.5, "", "\u0000", "a\nb", "../../etc/passwd", "'; DROP TABLE hosts; --", "$(id)", "x".repeat(10_000), [], [[]], {}, { __proto__: 1 }, ["a", 1]]; // prettier-ignore

/** A value that the schema says is good, as far as patterns can be met by chance. */
export function sampleOf(schema: Schema, random: Random, depth = 0): unknown {
  const choices = schema.anyOf ?? schema.oneOf;
  if (schema.const !== undefined) return schema.const;
  if (schema.enum !== undefined) return pick(schema.enum, random);
  if (choices !== undefined) return sampleOf(pick(choices, random), random, depth);
  const type = Array.isArray(schema.type) ? pick(schema.type, random) : (schema.type ?? "any");
  switch (type) {
    case "string":
      return sampleText(schema, random);
    case "integer":
      return Math.round(sampleNumber(schema, random));
    case "number":
      return sampleNumber(schema, random);
    case "boolean":
      return random() < 0.5;
    case "null":
      return null;
    case "array":
      return depth > 3 ? [] : Array.from({ length: Math.floor(random() * 3) }, () => sampleOf(schema.items ?? {}, random, depth + 1));
    case "object":
      return sampleObject(schema, random, depth);
    default:
      return pick([1, "text", null], random);
  }
}

/** A value that is probably not good. */
export function wrongOf(random: Random): unknown {
  return pick(WRONG, random);
}

export function pick<T>(values: readonly T[], random: Random): T {
  return values[Math.floor(random() * values.length)] as T;
}

function sampleObject(schema: Schema, random: Random, depth: number): Record<string, unknown> {
  const made: Record<string, unknown> = {};
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    if (schema.required?.includes(name) === true || random() < 0.4) made[name] = sampleOf(property, random, depth + 1);
  }
  const others = schema.additionalProperties;
  if (typeof others === "object" && random() < 0.7) made[pick(TEXTS, random)] = sampleOf(others, random, depth + 1);
  return made;
}

function sampleText(schema: Schema, random: Random): string {
  const { pattern, minLength = 0, maxLength = Infinity, format } = schema;
  const expression = pattern === undefined ? undefined : new RegExp(pattern, "u");
  if (format === "date-time") return "2026-01-02T03:04:05Z";
  const good = TEXTS.filter((text) => text.length >= minLength && text.length <= maxLength && (expression?.test(text) ?? true));
  return good.length === 0 ? "x".repeat(Math.min(Math.max(minLength, 1), 200)) : pick(good, random);
}

function sampleNumber({ minimum = -1_000, maximum = 1_000 }: Schema, random: Random): number {
  const edge = random();
  if (edge < 0.1) return minimum;
  if (edge < 0.2) return maximum;
  return minimum + random() * (maximum - minimum);
}
