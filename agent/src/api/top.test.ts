import { describe, expect, test } from "vitest";
import { parsePsArguments, parsePsOutput } from "./top.ts";

const OUTPUT = `UID          PID    PPID  C STIME TTY          TIME CMD
root           1       0  0 10:00 ?        00:00:01 /sbin/init
root        4242       1  0 10:01 ?        00:00:00 sh -c  sleep 600
`;

describe("docker top", () => {
  test("keeps the container's processes, and the command whole", () => {
    expect(parsePsOutput(OUTPUT, new Set([4242]))).toEqual({
      Titles: ["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"],
      Processes: [["root", "4242", "1", "0", "10:01", "?", "00:00:00", "sh -c sleep 600"]],
    });
  });

  test("needs the column PID", () => {
    expect(() => parsePsOutput("COMMAND\ninit\n", new Set([1]))).toThrow("Couldn't find PID field in ps output");
  });

  test("takes options of ps, but none that renames a column", () => {
    expect(parsePsArguments("  -o pid,comm  ")).toEqual(["-o", "pid,comm"]);
    expect(() => parsePsArguments("-o ppid=PID")).toThrow('specifying "ppid=PID" is not allowed');
  });
});
