import { seeded } from "../support/seeded.ts";

/** Texts that have broken programs of this kind before: shells, paths, terminals, numbers, prototypes (attacks 2 and 6). */
const HOSTILE: readonly string[] = [
  "", " ", "\0", "\n", "\r\n", "`id`", "$(id)", ";id", "|id", "&", "--help", "-v", "../../etc/passwd", "/", "//", ".", "..", "%2e%2e%2f",
  "%00", "%", "é", "ａ", "\u202e", "\ud800", "𝕏", "\u001b]52;c;eA==\u0007", "<script>", "'", '"', "{}", "[]", "null", "true", "-1", "0",
  "0x10", "1e309", "NaN", "9007199254740993", "99999999999999999999", "__proto__", "constructor", "toString", "sha256:", "a".repeat(300),
]; // prettier-ignore
const KEYS: readonly string[] = ["__proto__", "constructor", "", "a", "Labels", "Cmd", "Env"];

/** Chance that is the same for the same seed. */
export class Chaos {
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = seeded(seed);
  }

  /** 0 to `below` - 1. */
  int(below: number): number {
    return Math.floor(this.#random() * below);
  }

  chance(part: number): boolean {
    return this.#random() < part;
  }

  pick<T>(from: readonly [T, ...T[]] | readonly T[]): T {
    const picked = from[this.int(from.length)];
    if (picked === undefined && from.length === 0) throw new Error("nothing to pick from");
    return picked as T;
  }

  hostile(): string {
    return this.pick(HOSTILE);
  }

  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.int(256)));
  }

  /** Bytes with a few flipped, doubled, cut out, put in, or cut off. */
  mutateBytes(bytes: Uint8Array): Buffer {
    let result = Buffer.from(bytes);
    for (let times = 1 + this.int(4); times > 0; times -= 1) {
      const at = this.int(result.length + 1);
      const length = this.int(16);
      const [head, tail] = [result.subarray(0, at), result.subarray(at)];
      result = this.pick([
        () => Buffer.concat([head, this.bytes(1), tail.subarray(1)]),
        () => Buffer.concat([head, this.bytes(length), tail]),
        () => Buffer.concat([head, tail.subarray(length)]),
        () => Buffer.concat([head, tail.subarray(0, length), tail]),
        () => Buffer.concat([head, Buffer.alloc(4, 0xff), tail.subarray(4)]),
        () => (this.chance(0.3) ? head : result),
      ])();
    }
    return result;
  }

  /** A text with hostile pieces, or pieces of its own, in other places. */
  mutateText(text: string, pieces: readonly string[] = []): string {
    let result = text;
    for (let times = 1 + this.int(4); times > 0; times -= 1) {
      const at = this.int(result.length + 1);
      const cut = this.int(8);
      const piece = pieces.length > 0 && this.chance(0.6) ? this.pick(pieces) : this.hostile();
      result = this.pick([
        () => result.slice(0, at) + piece + result.slice(at),
        () => result.slice(0, at) + piece + result.slice(at + cut),
        () => result.slice(0, at) + result.slice(at + cut),
        () => result.slice(0, at) + result.slice(at, at + 40) + result.slice(at),
      ])();
    }
    return result;
  }

  /** A JSON value with some of its parts replaced, left out, nested, or renamed. */
  mutateJson(value: unknown): unknown {
    if (this.chance(0.08)) return this.scalar();
    if (Array.isArray(value)) {
      const items = value.flatMap((item) => (this.chance(0.1) ? [] : this.chance(0.1) ? [item, item] : [this.mutateJson(item)]));
      return this.chance(0.1) ? [...items, this.scalar()] : items;
    }
    if (typeof value === "object" && value !== null) {
      const entries = Object.entries(value).flatMap(([key, item]) => (this.chance(0.05) ? [] : [[key, this.mutateJson(item)] as const]));
      if (this.chance(0.1)) entries.push([this.pick(KEYS), this.scalar()]);
      return Object.fromEntries(entries);
    }
    return this.chance(0.1) ? (typeof value === "string" ? this.mutateText(value) : this.scalar()) : value;
  }

  scalar(): unknown {
    return this.pick([
      () => this.hostile(),
      () => this.int(2 ** 31),
      () => -1,
      () => null,
      () => true,
      () => 1.5,
      () => [],
      () => ({}),
      () => this.nested(),
    ])();
  }

  nested(): unknown {
    let value: unknown = this.hostile();
    for (let depth = this.int(60); depth > 0; depth -= 1) value = this.chance(0.5) ? [value] : { [this.pick(KEYS)]: value };
    return value;
  }
}
