import { MAX_REPLICA_LOG_LINES } from "@flotilla/protocol";
import { LogCursor } from "../logs/log-cursor.ts";
import { LOG_RECORD } from "../logs/log-record.ts";

const MAX_LINE_LENGTH = 1_000;
const MAX_BYTES = 256 * 1024;

/** The last lines of a container's log, oldest first; none when there is no log. */
export async function readLastLines(logPath: string, count = MAX_REPLICA_LOG_LINES): Promise<string[]> {
  const cursor = await LogCursor.open(logPath, count);
  try {
    let text = "";
    for (let records = await cursor.read(); records !== undefined && text.length < MAX_BYTES; records = await cursor.read()) {
      text += records.toString("utf8");
    }
    const lines = text.split("\n").filter((line) => line.length >= LOG_RECORD.textOffset);
    return lines.slice(-count).map((line) => clean(line.slice(LOG_RECORD.textOffset)));
  } finally {
    await cursor.close();
  }
}

/** Control characters would be terminal sequences where lines are printed. */
function clean(line: string): string {
  // oxlint-disable-next-line no-control-regex
  return line.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, "\ufffd").slice(0, MAX_LINE_LENGTH);
}
