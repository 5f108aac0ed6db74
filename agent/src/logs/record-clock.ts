import { isUtcRecord, LOG_RECORD } from "./log-record.ts";

/** `2026-11-23T17:49` */
const MINUTE_BYTES = 16;

/**
 * Gives the UTC time of records, as the 29 bytes `YYYY-MM-DDThh:mm:ss.nnnnnnnnn`. Records in UTC are used where they
 * are; other zones are converted once a minute, since an offset has no seconds.
 */
export class RecordClock {
  readonly #scratch = Buffer.alloc(LOG_RECORD.timeWithoutZoneBytes);
  #minuteKey = "";

  /** Position of the 29 bytes: in the record itself, or in a scratch buffer that the next call overwrites. */
  utc(buffer: Buffer, at: number): { source: Buffer; start: number } {
    if (isUtcRecord(buffer, at)) return { source: buffer, start: at };
    const zoneAt = at + LOG_RECORD.timeWithoutZoneBytes;
    const minute = buffer.toString("latin1", at, at + MINUTE_BYTES);
    const key = minute + buffer.toString("latin1", zoneAt, at + LOG_RECORD.timeBytes);
    if (key !== this.#minuteKey) {
      const ms = Date.parse(`${minute}:00${key.slice(MINUTE_BYTES)}`);
      this.#scratch.write(Number.isNaN(ms) ? minute : new Date(ms).toISOString().slice(0, MINUTE_BYTES), 0, "latin1");
      this.#minuteKey = key;
    }
    buffer.copy(this.#scratch, MINUTE_BYTES, at + MINUTE_BYTES, zoneAt);
    return { source: this.#scratch, start: 0 };
  }
}
