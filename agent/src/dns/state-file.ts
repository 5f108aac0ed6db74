// The file between agent and resolver: a header, then one line of JSON for each step. The agent appends what changed and now and
// then writes all of it anew beside and renames it there; the resolver reads on from where it was. A step whose line was cut off, by
// the end of the agent in the middle of a write, did not happen: whoever comes next writes the whole.
import { closeSync, constants, fstatSync, openSync, readSync, renameSync, statSync, writeFileSync, writeSync } from "node:fs";
import { z } from "zod";
import type { Delta } from "./names-state.ts";
import { StateChange } from "./resolver-state.ts";

const Header = z.object({
  version: z.number(),
  /** resolv.conf(5) of the host, read anew when it changes. */
  resolvConfPath: z.string(),
  /** Of the lines after this one that say what was there when the file was made, all of them of `version`. */
  bytes: z.int().min(0),
});
type Header = z.output<typeof Header>;

const NEWLINE = 0x0a;
/** Records of a line of a whole file. */
const CHUNK = 500;
const MIN_COMPACTION_BYTES = 256 * 1024;
/** Enough for a header. */
const HEAD_BYTES = 8_192;

const formatChange = (version: number, { remove, put }: Delta): string =>
  `{"version":${version},"remove":${JSON.stringify([...remove])},"put":[${[...put].map(([key, text]) => `[${JSON.stringify(key)},${text}]`).join(",")}]}\n`;

/** The agent's end. */
export class StateWriter {
  readonly #path: string;
  readonly #resolvConfPath: string;
  /** Of the file as it was made, and of what was appended since; undefined: what is there is not ours to go on with. */
  #size: { base: number; appended: number } | undefined;

  constructor(path: string, resolvConfPath: string) {
    this.#path = path;
    this.#resolvConfPath = resolvConfPath;
  }

  /** Writes one step, or all when there is nothing to append to. */
  write(version: number, delta: Delta, records: () => Iterable<[string, string]>): void {
    const size = this.#size;
    this.#size = undefined;
    if (size !== undefined) {
      const text = formatChange(version, delta);
      if (append(this.#path, text)) {
        this.#size = { base: size.base, appended: size.appended + Buffer.byteLength(text) };
        return;
      }
    }
    this.writeWhole(version, records());
  }

  /** Whether what was appended is worth a new file. */
  isLong(): boolean {
    return this.#size !== undefined && this.#size.appended > Math.max(MIN_COMPACTION_BYTES, this.#size.base);
  }

  writeWhole(version: number, records: Iterable<[string, string]>): void {
    this.#size = undefined;
    const lines: string[] = [];
    let put = new Map<string, string>();
    const flush = (): void => {
      if (put.size > 0) lines.push(formatChange(version, { remove: new Set(), put }));
      put = new Map();
    };
    for (const [key, text] of records) {
      put.set(key, text);
      if (put.size === CHUNK) flush();
    }
    flush();
    const body = lines.join("");
    const bytes = Buffer.byteLength(body);
    const header: Header = { version, resolvConfPath: this.#resolvConfPath, bytes };
    const next = `${this.#path}.next`;
    writeFileSync(next, `${JSON.stringify(header)}\n${body}`, { mode: 0o600 });
    renameSync(next, this.#path);
    this.#size = { base: bytes, appended: 0 };
  }

  /** The next write is the whole. */
  forget(): void {
    this.#size = undefined;
  }
}

/** @returns false when not all of it could be written: then the file's end is no step. */
function append(path: string, text: string): boolean {
  let fd: number;
  try {
    fd = openSync(path, constants.O_WRONLY | constants.O_APPEND);
  } catch {
    return false;
  }
  try {
    const bytes = Buffer.from(text);
    return writeSync(fd, bytes) === bytes.length;
  } catch {
    return false;
  } finally {
    closeSync(fd);
  }
}

/** `isAnew`: what was read before counts no more. */
export type Reading = { version: number; resolvConfPath: string; isAnew: boolean; changes: StateChange[] };

type Position = { fd: number; offset: number; version: number; resolvConfPath: string };

/** The resolver's end. Keeps the file open, so that another of the same number is not taken for it. */
export class StateReader {
  readonly #path: string;
  #at: Position | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /** What is new. @throws when the file is not there or not as it should be; then what was read before still counts. */
  read(): Reading {
    const before = this.#at;
    const isSame = before !== undefined && isSameFile(before.fd, this.#path);
    const from = isSame ? { ...before, isAnew: false } : open(this.#path, before?.version);
    try {
      const text = readFrom(from.fd, from.offset);
      const end = text.lastIndexOf(NEWLINE) + 1;
      const changes = parseLines(text.subarray(0, end));
      const version = changes.at(-1)?.version ?? from.version;
      this.#at = { fd: from.fd, resolvConfPath: from.resolvConfPath, offset: from.offset + end, version };
      if (!isSame && before !== undefined) closeSync(before.fd);
      return { version, resolvConfPath: from.resolvConfPath, isAnew: from.isAnew, changes };
    } catch (error) {
      if (!isSame) closeSync(from.fd);
      throw error;
    }
  }

  close(): void {
    if (this.#at !== undefined) closeSync(this.#at.fd);
    this.#at = undefined;
  }
}

function isSameFile(fd: number, path: string): boolean {
  const [own, there] = [fstatSync(fd), statSync(path)];
  return own.ino === there.ino && own.dev === there.dev;
}

/** Behind what is known already, when a file begins with the version that was read last. */
function open(path: string, knownVersion: number | undefined): Position & { isAnew: boolean } {
  const fd = openSync(path, constants.O_RDONLY);
  try {
    const head = Buffer.alloc(HEAD_BYTES);
    const length = readSync(fd, head, 0, HEAD_BYTES, 0);
    const end = head.subarray(0, length).indexOf(NEWLINE) + 1;
    const { version, resolvConfPath, bytes } = Header.parse(JSON.parse(head.subarray(0, end).toString("utf8")));
    const isAnew = version !== knownVersion;
    return { fd, version, resolvConfPath, isAnew, offset: isAnew ? end : end + bytes };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function readFrom(fd: number, offset: number): Buffer {
  const bytes = Buffer.alloc(Math.max(0, fstatSync(fd).size - offset));
  let length = 0;
  while (length < bytes.length) {
    const count = readSync(fd, bytes, length, bytes.length - length, offset + length);
    if (count === 0) break;
    length += count;
  }
  return bytes.subarray(0, length);
}

const parseLines = (bytes: Buffer): StateChange[] =>
  bytes
    .toString("utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => StateChange.parse(JSON.parse(line)));
