// Fields of a 512-byte tar header block: POSIX.1-1988 ustar, GNU tar's extensions (base-256 numbers, long names) and
// the `x`/`g` records of POSIX.1-2001 (pax). Names are byte strings: one character per byte (latin1), because tar and
// Linux know bytes and not text. `toPath` turns them into what system calls take.
import { FlotillaError } from "@flotilla/core";

export const BLOCK = 512;

/** Byte ranges of the header, [offset, length]. */
export const FIELD = {
  name: [0, 100],
  mode: [100, 8],
  uid: [108, 8],
  gid: [116, 8],
  size: [124, 12],
  mtime: [136, 12],
  checksum: [148, 8],
  linkName: [157, 100],
  magic: [257, 8],
  deviceMajor: [329, 8],
  deviceMinor: [337, 8],
  prefix: [345, 155],
} as const satisfies Record<string, readonly [number, number]>;

export const TYPE_OFFSET = 156;

type Range = readonly [number, number];

/** A NUL-terminated byte string. */
export function readText(block: Buffer, [offset, length]: Range): string {
  const field = block.subarray(offset, offset + length);
  const end = field.indexOf(0);
  return field.toString("latin1", 0, end === -1 ? length : end);
}

/** Octal digits, or base-256 when the first bit is set (GNU). @throws FlotillaError `invalid`. */
export function readNumber(block: Buffer, [offset, length]: Range): number {
  const first = block.readUInt8(offset);
  if ((first & 0x80) !== 0) return readBase256(block.subarray(offset, offset + length));
  const text = readText(block, [offset, length]).trim();
  if (text === "") return 0;
  if (!/^[0-7]+$/.test(text)) throw invalidTar("a number of its header is not octal");
  return Number.parseInt(text, 8);
}

function readBase256(bytes: Buffer): number {
  const isNegative = (bytes.readUInt8(0) & 0x40) !== 0;
  let value = BigInt(bytes.readUInt8(0) & 0x3f);
  for (const byte of bytes.subarray(1)) value = (value << 8n) | BigInt(byte);
  if (isNegative) value -= 1n << BigInt(bytes.length * 8 - 2);
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw invalidTar("a number of its header is too large");
  return number;
}

/** Sum of all bytes with the checksum itself taken as spaces; old writers summed signed bytes. */
export function isChecksumRight(block: Buffer): boolean {
  const [start, length] = FIELD.checksum;
  let unsigned = 0;
  let signed = 0;
  for (let i = 0; i < BLOCK; i++) {
    const byte = i >= start && i < start + length ? 0x20 : (block[i] ?? 0);
    unsigned += byte;
    signed += byte > 127 ? byte - 256 : byte;
  }
  const expected = readNumber(block, FIELD.checksum);
  return unsigned === expected || signed === expected;
}

const ZERO_BLOCK = Buffer.alloc(BLOCK);

export function isZeroBlock(block: Buffer): boolean {
  return block.equals(ZERO_BLOCK);
}

/** Bytes that fill `size` up to a whole block. */
export function paddingOf(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}

/** What a system call takes for a byte string: a Buffer when it is not plain ASCII. */
export function toPath(bytes: string): string | Buffer {
  // oxlint-disable-next-line no-control-regex -- the point is which bytes are ASCII
  return /^[\x00-\x7f]*$/.test(bytes) ? bytes : Buffer.from(bytes, "latin1");
}

/** For messages: bytes that are not UTF-8 show as replacement characters. */
export function toDisplay(bytes: string): string {
  return Buffer.from(bytes, "latin1").toString("utf8");
}

export function invalidTar(detail: string): FlotillaError {
  return new FlotillaError("invalid", `archive/tar: invalid tar header: ${detail}`);
}

export function truncatedTar(): FlotillaError {
  return new FlotillaError("invalid", "unexpected EOF: the tar archive is truncated");
}
