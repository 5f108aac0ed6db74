import { createHash } from "node:crypto";
import { z } from "zod";

const line = z.object({
  seq: z.int().min(1),
  previous: z.string().regex(/^[0-9a-f]{64}$/),
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  record: z.looseObject({ id: z.string() }),
});
const RECORD = /^\{"seq":\d+,"previous":"[0-9a-f]{64}","hash":"[0-9a-f]{64}","record":(\{.*\})\}$/s;

export type LineFault = { line: number; seq: number | null; reason: string };

/**
 * Follows the chain through exported JSON lines, with nothing but the lines. Numbers that are left out (a filtered export)
 * are counted as gaps, not as faults.
 */
export async function checkLines(
  lines: AsyncIterable<string> | Iterable<string>,
): Promise<{ lines: number; gaps: number; head: { seq: number; hash: string } | null; fault: LineFault | null }> {
  let head: { seq: number; hash: string } | null = null;
  let count = 0;
  let gaps = 0;
  const fail = (reason: string, seq: number | null = null): LineFault => ({ line: count, seq, reason });
  for await (const text of lines) {
    if (text === "") continue;
    count += 1;
    const parsed = line.safeParse(parseJson(text));
    const record = RECORD.exec(text)?.[1];
    if (!parsed.success || record === undefined) return { lines: count, gaps, head, fault: fail("not a line of an audit") };
    const { seq, previous, hash } = parsed.data;
    if (createHash("sha256").update(`${previous}\n${record}`).digest("hex") !== hash)
      return { lines: count, gaps, head, fault: fail("its hash is not that of its record", seq) };
    if (head !== null && seq <= head.seq)
      return { lines: count, gaps, head, fault: fail("its number is not higher than the one before", seq) };
    if (head !== null && seq === head.seq + 1 && previous !== head.hash)
      return { lines: count, gaps, head, fault: fail("it does not follow the line before", seq) };
    if (head !== null && seq > head.seq + 1) gaps += 1;
    head = { seq, hash };
  }
  return { lines: count, gaps, head, fault: null };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
