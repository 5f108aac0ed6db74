/**
 * Splits a growing text of newline-delimited JSON into values. `push` takes what has arrived and gives the values that are now whole;
 * `end` gives what was left without a final newline. Lines that are no JSON are passed over: progress must not fail an upload.
 */
export function createNdjsonReader(): { push: (chunk: string) => unknown[]; end: () => unknown[] } {
  let rest = "";
  const parse = (line: string): unknown[] => {
    if (line.trim() === "") return [];
    try {
      return [JSON.parse(line)];
    } catch {
      return [];
    }
  };
  return {
    push: (chunk) => {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      return lines.flatMap(parse);
    },
    end: () => {
      const last = rest;
      rest = "";
      return parse(last);
    },
  };
}
