export type EntryType = "file" | "link" | "symlink" | "character-device" | "block-device" | "directory" | "fifo";

/** One entry of a tar archive. Byte strings are latin1 (see block.ts). */
export type TarEntry = {
  type: EntryType;
  /** As written in the archive, not cleaned: may be absolute, hold `..` or end with a slash. */
  name: string;
  linkName: string;
  /** Permission bits with setuid, setgid and sticky: 12 bits. */
  mode: number;
  uid: number;
  gid: number;
  /** Bytes of the file once it is extracted, holes included. */
  size: number;
  /** Seconds since the epoch, with a fraction when the archive has one. */
  mtimeSeconds: number;
  deviceMajor: number;
  deviceMinor: number;
  /** Extended attributes: name to value, both byte strings. */
  xattrs: ReadonlyMap<string, string>;
  /** Where the stored bytes go, when the file has holes: [offset, length], in order. */
  sparse: readonly SparseChunk[] | undefined;
};

export type SparseChunk = { offset: number; length: number };
