// conmon's k8s-file format (the CRI's log format): one record a line,
//
//   2026-11-23T17:49:52.443617576+00:00 stdout F the text\n
//
// with a time of always 35 bytes in the machine's zone, the stream, and F for a full line or P for a part of one (a line
// longer than conmon's 8 KiB buffer, or text that has not been ended yet). A part carries no newline of its own.

export const LOG_RECORD = {
  timeBytes: 35,
  /** Date, time and nine digits: what is the same in every zone offset of +00:00. */
  timeWithoutZoneBytes: 29,
  streamOffset: 36,
  flagOffset: 43,
  textOffset: 45,
} as const;

export const BYTE = { newline: 10, space: 32, dash: 45, plus: 43, zero: 48, F: 70, P: 80, e: 101, o: 111 } as const;

export type LogStream = 1 | 2;

/** Stream of the record that starts at `at`, or undefined when there is no whole record header (a line torn by a crash). */
export function recordStream(buffer: Buffer, at: number, end: number): LogStream | undefined {
  if (end - at < LOG_RECORD.textOffset) return undefined;
  if (buffer[at + LOG_RECORD.timeBytes] !== BYTE.space || buffer[at + LOG_RECORD.textOffset - 1] !== BYTE.space) return undefined;
  const flag = buffer[at + LOG_RECORD.flagOffset];
  if (flag !== BYTE.F && flag !== BYTE.P) return undefined;
  // "stdout" and "stderr" differ in their fourth letter.
  const letter = buffer[at + LOG_RECORD.streamOffset + 3];
  if (letter === BYTE.o) return 1;
  return letter === BYTE.e ? 2 : undefined;
}

/** Whether the record's time is written in UTC. */
export function isUtcRecord(buffer: Buffer, at: number): boolean {
  const zone = at + LOG_RECORD.timeWithoutZoneBytes;
  return (
    buffer[zone] === BYTE.plus &&
    buffer[zone + 1] === BYTE.zero &&
    buffer[zone + 2] === BYTE.zero &&
    buffer[zone + 4] === BYTE.zero &&
    buffer[zone + 5] === BYTE.zero
  );
}

/** A point in time as the first 29 bytes of a record in UTC, so that it can be compared byte by byte. */
export function formatRecordTime(nano: bigint): Buffer {
  const seconds = nano / 1_000_000_000n;
  const date = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  return Buffer.from(`${date}.${(nano % 1_000_000_000n).toString().padStart(9, "0")}`);
}
