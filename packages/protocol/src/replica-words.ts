// What hosts say of their replicas, as sentences that both ends know: the host writes them, the control plane reads them again, so that pages can
// say them in their reader's language. What is no sentence of these is somebody else's: an engine's refusal, a registry's error.

const SENTENCES = {
  health_fails: "its health check fails",
  ended: "it ended with exit code {exitCode}",
  silent: "its host has not heard of the control plane for longer than the service allows",
  pulling: "pulling {image}: {percent}%",
  waits_for_network: "waits for network {name}",
  waits_for_secret: "waits for secret {name}",
  waits_for_config: "waits for config {name}",
} as const;

export type ReplicaWord = keyof typeof SENTENCES;
export const REPLICA_WORDS = Object.keys(SENTENCES) as readonly ReplicaWord[];
export type ReplicaSaying = { word: ReplicaWord; values: Record<string, string | number> };

/** Numbers have no other form; names may be anything on one line. */
const NUMBERS = new Set(["exitCode", "percent"]);
const patternOf = (sentence: string): RegExp =>
  new RegExp(
    `^${sentence.replaceAll(/\{(\w+)\}/g, (_all, name: string) => `(?<${name}>${NUMBERS.has(name) ? String.raw`-?\d+` : ".+"})`)}$`,
  );
const PATTERNS: readonly (readonly [ReplicaWord, RegExp])[] = REPLICA_WORDS.map((word) => [word, patternOf(SENTENCES[word])]);

/** The sentence. */
export function sayReplica(word: ReplicaWord, values: Readonly<Record<string, string | number>> = {}): string {
  return SENTENCES[word].replaceAll(/\{(\w+)\}/g, (_all, name: string) => String(values[name] ?? ""));
}

/** What a sentence says; undefined for one that is not of these. */
export function readReplicaWords(text: string): ReplicaSaying | undefined {
  for (const [word, pattern] of PATTERNS) {
    const groups = pattern.exec(text)?.groups ?? (pattern.test(text) ? {} : undefined);
    if (groups === undefined) continue;
    return {
      word,
      values: Object.fromEntries(Object.entries(groups).map(([name, value]) => [name, NUMBERS.has(name) ? Number(value) : value])),
    };
  }
  return undefined;
}
