import { FlotillaError } from "@flotilla/core";

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;
const MAX_NAME_LENGTH = 255;

/** A container name without its leading slash. @throws invalid in Docker's words. */
export function parseContainerName(text: string): string {
  const name = text.replace(/^\//, "");
  if (NAME.test(name) && name.length <= MAX_NAME_LENGTH) return name;
  throw new FlotillaError("invalid", `Invalid container name (${text}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`);
}

const ADJECTIVES: readonly string[] = [
  "able", "agile", "amber", "ample", "apt", "azure", "bold", "brave", "bright", "brisk", "calm", "candid", "clever", "cosy", "crisp",
  "curious", "daring", "deft", "eager", "earnest", "fair", "fearless", "fleet", "fond", "frank", "free", "fresh", "gentle", "gifted",
  "glad", "golden", "grand", "happy", "hardy", "hearty", "honest", "humble", "jolly", "keen", "kind", "lively", "loyal", "lucid",
  "merry", "mighty", "modest", "neat", "nimble", "noble", "patient", "placid", "plucky", "polite", "proud", "quick", "quiet", "ready",
  "serene", "sharp", "silver", "sincere", "smart", "snug", "sober", "spry", "steady", "stoic", "sunny", "swift", "tidy", "trusty",
  "upbeat", "vivid", "warm", "wise", "witty", "zesty",
]; // prettier-ignore

/** People of navigation, mathematics and computing. */
const SURNAMES: readonly string[] = [
  "abel", "adleman", "agnesi", "amundsen", "babbage", "backus", "baret", "bernoulli", "boole", "bougainville", "cabot", "cantor",
  "cauchy", "cerf", "church", "codd", "cook", "dijkstra", "drake", "easley", "elcano", "erdos", "euler", "fermat", "fibonacci",
  "franklin", "frege", "gauss", "germain", "godel", "goldberg", "hamilton", "hamming", "harrison", "hilbert", "hoare", "hopper",
  "hypatia", "jacobi", "johnson", "karp", "keller", "kepler", "khayyam", "kilburn", "knuth", "kovalevskaya", "lagrange", "lamport",
  "laperouse", "liskov", "lovelace", "magellan", "mccarthy", "mercator", "milner", "minsky", "mirzakhani", "nansen", "neumann",
  "newell", "noether", "pascal", "perlman", "poincare", "postel", "ramanujan", "ritchie", "shackleton", "shannon", "tarjan", "tasman",
  "thompson", "torvalds", "turing", "vaughan", "vespucci", "wilkes", "wirth", "zhenghe", "zuse",
]; // prettier-ignore

/** A name like `brave_hopper`; from the second attempt on with a digit behind. `random` gives numbers in [0, 1). */
export function randomName(attempt: number, random: () => number): string {
  const pick = (list: readonly string[]): string => list[Math.floor(random() * list.length)] ?? "fleet";
  const suffix = attempt === 0 ? "" : String(Math.floor(random() * 10 ** Math.min(attempt, 9)));
  return `${pick(ADJECTIVES)}_${pick(SURNAMES)}${suffix}`;
}
