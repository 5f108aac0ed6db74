import { invalidTar } from "./block.ts";

/** Records of a pax header in order: a key may come more than once (GNU.sparse.offset does). */
export type PaxRecords = readonly (readonly [key: string, value: string])[];

const XATTR_PREFIX = "SCHILY.xattr.";

/** Parses `LENGTH KEY=VALUE\n` records (POSIX.1-2001, pax Interchange Format). @throws FlotillaError `invalid`. */
export function parsePax(content: Buffer): PaxRecords {
  const records: [string, string][] = [];
  let offset = 0;
  while (offset < content.length) {
    const space = content.indexOf(0x20, offset);
    const digits = space === -1 ? "" : content.toString("latin1", offset, space);
    // Some writers fill the record block with NULs.
    if (content[offset] === 0) break;
    if (!/^\d{1,8}$/.test(digits)) throw invalidTar("a pax record has no length");
    const end = offset + Number(digits);
    if (end > content.length || end <= space || content[end - 1] !== 0x0a) throw invalidTar("a pax record has a wrong length");
    const record = content.toString("latin1", space + 1, end - 1);
    const equals = record.indexOf("=");
    if (equals <= 0) throw invalidTar("a pax record has no key");
    records.push([record.slice(0, equals), record.slice(equals + 1)]);
    offset = end;
  }
  return records;
}

/** Writes records; keys and values are byte strings. */
export function formatPax(records: PaxRecords): Buffer {
  const lines = records.map(([key, value]) => {
    const rest = ` ${key}=${value}\n`;
    let length = rest.length + String(rest.length).length;
    // The length counts its own digits, which may need one digit more.
    if (String(length).length > String(rest.length).length) length++;
    return `${length}${rest}`;
  });
  return Buffer.from(lines.join(""), "latin1");
}

/** Extended attributes among the records. */
export function xattrsOf(records: PaxRecords): Map<string, string> {
  const xattrs = new Map<string, string>();
  for (const [key, value] of records) {
    if (key.startsWith(XATTR_PREFIX)) xattrs.set(key.slice(XATTR_PREFIX.length), value);
  }
  return xattrs;
}

export function xattrRecord(name: string, value: string): readonly [string, string] {
  return [`${XATTR_PREFIX}${name}`, value];
}
