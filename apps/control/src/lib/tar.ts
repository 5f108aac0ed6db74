/** A file of an archive: its path with slashes, and its bytes (a `File` is read only when the archive is sent). */
export type TarEntry = { path: string; content: Blob; modifiedAtMs?: number };

const BLOCK = 512;
/** A browser knows no permissions. Docker's client on Windows, which knows none either, makes everything executable too. */
const MODE = 0o755;
/** Largest size that the eleven octal digits of a ustar header hold. */
const MAX_USTAR_SIZE = 0o77777777777;

/**
 * A POSIX.1-2001 archive (ustar headers; pax headers where a path or size does not fit into them) of regular files. The parts are the
 * files themselves, so that an archive of any size takes no memory.
 */
export function makeTar(entries: readonly TarEntry[]): Blob {
  const parts: BlobPart[] = [];
  for (const entry of entries) {
    const path = new TextEncoder().encode(entry.path);
    const size = entry.content.size;
    const mtime = Math.max(0, Math.floor((entry.modifiedAtMs ?? 0) / 1000));
    const records = [
      ...(path.length > 100 || path.some((byte) => byte > 126) ? [paxRecord("path", entry.path)] : []),
      ...(size > MAX_USTAR_SIZE ? [paxRecord("size", String(size))] : []),
    ];
    if (records.length > 0) {
      const pax = new TextEncoder().encode(records.join(""));
      parts.push(header({ path: new TextEncoder().encode("pax"), size: pax.length, mtime, type: "x" }), pax, padding(pax.length));
    }
    parts.push(header({ path: path.slice(0, 100), size: Math.min(size, MAX_USTAR_SIZE), mtime, type: "0" }), entry.content, padding(size));
  }
  parts.push(new Uint8Array(2 * BLOCK));
  return new Blob(parts, { type: "application/x-tar" });
}

/** `LENGTH KEY=VALUE\n`, where the length in bytes counts its own digits. */
function paxRecord(key: string, value: string): string {
  const rest = new TextEncoder().encode(` ${key}=${value}\n`).length;
  let length = rest + String(rest).length;
  if (String(length).length > String(rest).length) length = rest + String(length).length;
  return `${length} ${key}=${value}\n`;
}

function header(facts: { path: Uint8Array; size: number; mtime: number; type: "0" | "x" }): Uint8Array<ArrayBuffer> {
  const block = new Uint8Array(BLOCK);
  const put = (offset: number, text: string): void => block.set(new TextEncoder().encode(text), offset);
  const octal = (value: number, digits: number): string => value.toString(8).padStart(digits, "0");
  block.set(facts.path, 0);
  put(100, `${octal(MODE, 7)}\0${octal(0, 7)}\0${octal(0, 7)}\0${octal(facts.size, 11)}\0${octal(facts.mtime, 11)}\0`);
  // The checksum counts its own field as spaces.
  put(148, "        ");
  put(156, facts.type);
  put(257, "ustar\u000000");
  put(
    148,
    `${octal(
      block.reduce((sum, byte) => sum + byte, 0),
      6,
    )}\0 `,
  );
  return block;
}

function padding(size: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array((BLOCK - (size % BLOCK)) % BLOCK);
}
