import { BLOCK, FIELD, paddingOf, TYPE_OFFSET } from "./block.ts";
import type { EntryType, TarEntry } from "./entry.ts";
import { formatPax, xattrRecord } from "./pax.ts";

const FLAGS: Readonly<Record<EntryType, string>> = {
  file: "0",
  link: "1",
  symlink: "2",
  "character-device": "3",
  "block-device": "4",
  directory: "5",
  fifo: "6",
};

const MAX_OCTAL_7 = 0o7_777_777;
const MAX_OCTAL_11 = 0o77_777_777_777;

/** What a writer needs of an entry; files are written whole, without holes. */
export type NewEntry = Omit<TarEntry, "sparse">;

/** Two zero blocks: the end of an archive. */
export const END_OF_ARCHIVE: Buffer = Buffer.alloc(2 * BLOCK);

/**
 * Header blocks of an entry: ustar, with a pax header before it for whatever ustar cannot hold (long or non-ASCII names,
 * large numbers, extended attributes). The times of ustar are whole seconds.
 */
export function formatHeader(entry: NewEntry): Buffer {
  const records: (readonly [string, string])[] = [];
  const text = (key: string, value: string): void => {
    // oxlint-disable-next-line no-control-regex -- ustar names are ASCII
    if (value.length > 100 || !/^[\x01-\x7f]*$/.test(value)) records.push([key, value]);
  };
  const number = (key: string, value: number, limit: number): void => {
    if (value > limit || value < 0) records.push([key, String(value)]);
  };
  const mtime = Math.floor(entry.mtimeSeconds);
  text("path", entry.name);
  text("linkpath", entry.linkName);
  number("size", entry.size, MAX_OCTAL_11);
  number("uid", entry.uid, MAX_OCTAL_7);
  number("gid", entry.gid, MAX_OCTAL_7);
  number("mtime", mtime, MAX_OCTAL_11);
  for (const [name, value] of entry.xattrs) records.push(xattrRecord(name, value));
  const header = ustar({ ...entry, mtimeSeconds: mtime }, FLAGS[entry.type]);
  if (records.length === 0) return header;
  const content = formatPax(records);
  const paxHeader = ustar({ ...PAX_ENTRY, size: content.length, mtimeSeconds: mtime }, "x");
  return Buffer.concat([paxHeader, content, Buffer.alloc(paddingOf(content.length)), header]);
}

const PAX_ENTRY: NewEntry = {
  type: "file",
  name: "PaxHeaders.0/entry",
  linkName: "",
  mode: 0o644,
  uid: 0,
  gid: 0,
  size: 0,
  mtimeSeconds: 0,
  deviceMajor: 0,
  deviceMinor: 0,
  xattrs: new Map(),
};

function ustar(entry: NewEntry, flag: string): Buffer {
  const block = Buffer.alloc(BLOCK);
  const put = (field: readonly [number, number], text: string): void => void block.write(text.slice(0, field[1]), field[0], "latin1");
  const octal = (field: readonly [number, number], value: number, limit: number): void => {
    const digits = (value < 0 || value > limit ? 0 : value).toString(8).padStart(field[1] - 1, "0");
    put(field, `${digits}\0`);
  };
  put(FIELD.name, entry.name);
  octal(FIELD.mode, entry.mode & 0o7777, MAX_OCTAL_7);
  octal(FIELD.uid, entry.uid, MAX_OCTAL_7);
  octal(FIELD.gid, entry.gid, MAX_OCTAL_7);
  octal(FIELD.size, entry.size, MAX_OCTAL_11);
  octal(FIELD.mtime, entry.mtimeSeconds, MAX_OCTAL_11);
  block.write(flag, TYPE_OFFSET, "latin1");
  put(FIELD.linkName, entry.linkName);
  put(FIELD.magic, "ustar\x0000");
  octal(FIELD.deviceMajor, entry.deviceMajor, MAX_OCTAL_7);
  octal(FIELD.deviceMinor, entry.deviceMinor, MAX_OCTAL_7);
  put(FIELD.checksum, "        ");
  const sum = block.reduce((total, byte) => total + byte, 0);
  put(FIELD.checksum, `${sum.toString(8).padStart(6, "0")}\0 `);
  return block;
}
