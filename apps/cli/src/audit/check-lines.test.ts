import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { checkLines } from "./check-lines.ts";

function chain(names: readonly string[]): string[] {
  let previous = "0".repeat(64);
  return names.map((name, index) => {
    const record = JSON.stringify({ id: name, detail: { text: `}"${name}` } });
    const hash = createHash("sha256").update(`${previous}\n${record}`).digest("hex");
    const line = `{"seq":${index + 1},"previous":"${previous}","hash":"${hash}","record":${record}}`;
    previous = hash;
    return line;
  });
}

const whole = chain(["a", "b", "c", "d"]);
const faultOf = async (lines: string[]): Promise<unknown> => (await checkLines(lines)).fault;

describe("checkLines", () => {
  test("a whole export has no fault, and its head is the last line's", async () => {
    const head = { seq: 4, hash: /"hash":"(\w+)"/.exec(whole[3] ?? "")?.[1] };
    expect(await checkLines([...whole, ""])).toEqual({ lines: 4, gaps: 0, head, fault: null });
    expect(await checkLines([])).toEqual({ lines: 0, gaps: 0, head: null, fault: null });
  });

  test("a filtered export has gaps, and each of its lines is still proven", async () => {
    expect(await checkLines(whole.toSpliced(1, 1))).toMatchObject({ lines: 3, gaps: 1, fault: null });
  });

  test("a changed record is named", async () => {
    expect(await faultOf(whole.with(1, (whole[1] ?? "").replace('"id":"b"', '"id":"x"')))).toMatchObject({ line: 2, seq: 2 });
  });

  test("a record that was written anew breaks the line after it", async () => {
    const forged = chain(["a", "x"]);
    expect(await faultOf([whole[0] ?? "", forged[1] ?? "", whole[2] ?? ""])).toMatchObject({
      seq: 3,
      reason: "it does not follow the line before",
    });
  });

  test("lines out of order and lines twice are named", async () => {
    expect(await faultOf([whole[1] ?? "", whole[0] ?? ""])).toMatchObject({ line: 2, seq: 1 });
    expect(await faultOf([whole[0] ?? "", whole[0] ?? ""])).toMatchObject({ line: 2, seq: 1 });
  });

  test.each(["{", "null", '{"seq":1}', "x".repeat(1000)])("%s is not a line of an audit", async (text) => {
    expect(await faultOf([text])).toEqual({ line: 1, seq: null, reason: "not a line of an audit" });
  });
});
