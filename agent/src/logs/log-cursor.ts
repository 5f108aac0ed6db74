import { closeLog, findInode, openLog, openLogFiles, type OpenLog } from "./log-files.ts";
import { BYTE } from "./log-record.ts";
import { findTailStart } from "./log-tail.ts";

const SMALL_READ_BYTES = 64 * 1024;
const LARGE_READ_BYTES = 1024 * 1024;
/** conmon's records have at most 8 KiB of text: a longer run without a newline is no log. */
const MAX_RECORD_BYTES = 256 * 1024;

/**
 * A place in a container's log, over all its files. Files stay open, so a rotation under way takes nothing from a reader:
 * it reads the old file to its end and goes on with the one that conmon opened next.
 */
export class LogCursor {
  readonly #logPath: string;
  /** Files still to be read, oldest first; the first is being read. */
  readonly #files: OpenLog[];
  #offset: number;
  #readBytes = SMALL_READ_BYTES;
  /** One buffer for all reads: gigabytes pass through it. */
  #buffer: Buffer = Buffer.alloc(0);
  /** The begin of a record whose newline has not been read yet: from here to there in the buffer. */
  #rest = { start: 0, end: 0 };

  private constructor(logPath: string, files: OpenLog[], offset: number) {
    this.#logPath = logPath;
    this.#files = files;
    this.#offset = offset;
  }

  /** @param tailLines how many of the last lines to begin with; undefined for all. */
  static async open(logPath: string, tailLines: number | undefined): Promise<LogCursor> {
    const files = await openLogFiles(logPath);
    if (tailLines === undefined) return new LogCursor(logPath, files, 0);
    let missing = tailLines;
    for (let index = files.length - 1; index >= 0; index--) {
      const file = files[index];
      if (file === undefined) break;
      const start = await findTailStart(file.handle, missing);
      missing = start.missingLines;
      if (missing > 0 && index > 0) continue;
      await Promise.all(files.slice(0, index).map(closeLog));
      return new LogCursor(logPath, files.slice(index), start.offset);
    }
    return new LogCursor(logPath, files, 0);
  }

  /**
   * The next whole records, or undefined at the end of what there is now: call again when the log has changed. The buffer
   * is overwritten by the next call.
   */
  async read(): Promise<Buffer | undefined> {
    for (;;) {
      const file = this.#files[0] ?? (await this.#openCurrent());
      if (file === undefined) return undefined;
      const records = await this.#readFrom(file);
      if (records !== undefined) return records;
      if (!(await this.#advance(file))) return undefined;
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#files.splice(0).map(closeLog));
  }

  async #readFrom(file: OpenLog): Promise<Buffer | undefined> {
    for (;;) {
      const filled = this.#makeRoom();
      const { bytesRead } = await file.handle.read(this.#buffer, filled, this.#readBytes, this.#offset);
      if (bytesRead === 0) {
        this.#shrink();
        return undefined;
      }
      this.#offset += bytesRead;
      this.#readBytes = bytesRead === this.#readBytes ? LARGE_READ_BYTES : SMALL_READ_BYTES;
      const end = filled + bytesRead;
      const newline = this.#buffer.subarray(0, end).lastIndexOf(BYTE.newline);
      this.#rest = end - newline - 1 > MAX_RECORD_BYTES ? { start: 0, end: 0 } : { start: newline + 1, end };
      if (newline >= 0) return this.#buffer.subarray(0, newline + 1);
    }
  }

  /** Moves the rest to the front of a buffer with room for a read. @returns bytes that are in it. */
  #makeRoom(): number {
    const { start, end } = this.#rest;
    const filled = end - start;
    if (this.#buffer.length >= filled + this.#readBytes) this.#buffer.copyWithin(0, start, end);
    else this.#buffer = Buffer.concat([this.#buffer.subarray(start, end)], filled + this.#readBytes);
    this.#rest = { start: 0, end: filled };
    return filled;
  }

  /** A follower that waits holds no more than it must. */
  #shrink(): void {
    this.#buffer = Buffer.from(this.#buffer.subarray(this.#rest.start, this.#rest.end));
    this.#rest = { start: 0, end: this.#buffer.length };
    this.#readBytes = SMALL_READ_BYTES;
  }

  /** At the end of a file: whether there is more to read, in it or behind it. */
  async #advance(file: OpenLog): Promise<boolean> {
    const { size } = await file.handle.stat();
    if (size > this.#offset) return true;
    // Somebody emptied the file (`truncate`): what is written now begins at its start.
    if (size < this.#offset) {
      this.#startOfFile();
      return true;
    }
    if (this.#files.length === 1) {
      // conmon opens the new file when it has written its last line to the old one: one more look at the old one is all.
      return await this.#openNewer(file);
    }
    this.#files.shift();
    await closeLog(file);
    this.#startOfFile();
    return true;
  }

  /** After a rotation, opens the files that came behind `file`. */
  async #openNewer(file: OpenLog): Promise<boolean> {
    const current = await findInode(this.#logPath);
    if (current === undefined || current === file.inode) return false;
    const all = await openLogFiles(this.#logPath);
    const position = all.findIndex(({ inode }) => inode === file.inode);
    await Promise.all(all.slice(0, position + 1).map(closeLog));
    this.#files.push(...all.slice(position + 1));
    return this.#files.length > 1;
  }

  async #openCurrent(): Promise<OpenLog | undefined> {
    const current = await openLog(this.#logPath);
    if (current === undefined) return undefined;
    this.#files.push(current);
    this.#startOfFile();
    return current;
  }

  #startOfFile(): void {
    this.#offset = 0;
    this.#rest = { start: 0, end: 0 };
  }
}
