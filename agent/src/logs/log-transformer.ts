import { STDCOPY_HEADER_BYTES, writeStdcopyHeader } from "@flotilla/engine-api";
import { BYTE, LOG_RECORD, recordStream, type LogStream } from "./log-record.ts";
import { RecordClock } from "./record-clock.ts";

export type LogFormat = {
  stdout: boolean;
  stderr: boolean;
  /** Raw text, as of a terminal; otherwise stdcopy frames. */
  isRaw: boolean;
  /**
   * Joins neighbouring lines of one stream into one frame: the same bytes for who joins frames anyway, and the docker
   * command reads them several times faster. Clients that follow take a frame for a line, so then it is off.
   */
  joinsFrames: boolean;
  timestamps: boolean;
  /** Put before each line, with its space; "" for none. */
  details: string;
  /** 29 bytes of UTC time, see formatRecordTime. */
  since: Buffer | undefined;
  until: Buffer | undefined;
};

/** Clients read frames into a buffer of 32 KiB first. */
const MAX_JOINED_FRAME_BYTES = 32 * 1024 - STDCOPY_HEADER_BYTES;
const TIMESTAMP_BYTES = LOG_RECORD.timeWithoutZoneBytes + 2;

/**
 * Turns log records into what a client gets. Works on whole chunks and copies bytes, with no string for a line: a
 * gigabyte of log passes through here.
 */
export class LogTransformer {
  readonly #format: LogFormat;
  readonly #details: Buffer;
  readonly #clock = new RecordClock();
  /** Whether the next record of stdout and stderr (index 1 and 2) begins a line. */
  readonly #isLineStart = [true, true, true];
  #out = Buffer.alloc(0);
  #length = 0;
  #frameStart = 0;
  #frameStream: LogStream | 0 = 0;
  #isPastUntil = false;

  constructor(format: LogFormat) {
    this.#format = format;
    this.#details = Buffer.from(format.details);
  }

  /** A record behind `until` was seen: nothing of the rest is wanted. */
  get isPastUntil(): boolean {
    return this.#isPastUntil;
  }

  /** Takes whole records only (`chunk` ends behind a newline). The result is the caller's to keep. */
  transform(chunk: Buffer): Buffer {
    // A record's header is longer than what is put in its place, unless details are asked for.
    const roomForDetails = this.#details.length === 0 ? 0 : Math.ceil(chunk.length / LOG_RECORD.textOffset) * this.#details.length;
    this.#out = Buffer.allocUnsafe(chunk.length + roomForDetails + STDCOPY_HEADER_BYTES);
    this.#length = 0;
    this.#frameStream = 0;
    let at = 0;
    while (at < chunk.length && !this.#isPastUntil) {
      const newline = chunk.indexOf(BYTE.newline, at);
      const end = newline < 0 ? chunk.length : newline;
      this.#record(chunk, at, end);
      at = end + 1;
    }
    this.#closeFrame();
    return this.#out.subarray(0, this.#length);
  }

  #record(chunk: Buffer, at: number, end: number): void {
    const stream = recordStream(chunk, at, end);
    if (stream === undefined || !this.#isInTime(chunk, at)) return;
    const isFull = chunk[at + LOG_RECORD.flagOffset] === BYTE.F;
    const isLineStart = this.#isLineStart[stream] === true;
    this.#isLineStart[stream] = isFull;
    if (!(stream === 1 ? this.#format.stdout : this.#format.stderr)) return;
    const textBytes = end - at - LOG_RECORD.textOffset + (isFull ? 1 : 0);
    if (textBytes === 0) return;
    if (!this.#format.isRaw) this.#openFrame(stream, textBytes + TIMESTAMP_BYTES + this.#details.length);
    if (isLineStart) this.#prefix(chunk, at);
    this.#length += chunk.copy(this.#out, this.#length, at + LOG_RECORD.textOffset, end);
    if (isFull) this.#out[this.#length++] = BYTE.newline;
    if (!this.#format.joinsFrames) this.#closeFrame();
  }

  #isInTime(chunk: Buffer, at: number): boolean {
    const { since, until } = this.#format;
    if (since === undefined && until === undefined) return true;
    const { source, start } = this.#clock.utc(chunk, at);
    const end = start + LOG_RECORD.timeWithoutZoneBytes;
    if (until !== undefined && source.compare(until, 0, until.length, start, end) > 0) {
      this.#isPastUntil = true;
      return false;
    }
    return since === undefined || source.compare(since, 0, since.length, start, end) >= 0;
  }

  #prefix(chunk: Buffer, at: number): void {
    if (this.#format.timestamps) {
      const { source, start } = this.#clock.utc(chunk, at);
      this.#length += source.copy(this.#out, this.#length, start, start + LOG_RECORD.timeWithoutZoneBytes);
      this.#length += this.#out.write("Z ", this.#length, "latin1");
    }
    this.#length += this.#details.copy(this.#out, this.#length);
  }

  #openFrame(stream: LogStream, maxBytes: number): void {
    const frameBytes = this.#length - this.#frameStart - STDCOPY_HEADER_BYTES;
    if (this.#frameStream === stream && frameBytes + maxBytes <= MAX_JOINED_FRAME_BYTES) return;
    this.#closeFrame();
    this.#frameStream = stream;
    this.#frameStart = this.#length;
    this.#length += STDCOPY_HEADER_BYTES;
  }

  #closeFrame(): void {
    if (this.#frameStream === 0) return;
    const payloadBytes = this.#length - this.#frameStart - STDCOPY_HEADER_BYTES;
    writeStdcopyHeader(this.#out, this.#frameStart, { stream: this.#frameStream, payloadBytes });
    this.#frameStream = 0;
  }
}
