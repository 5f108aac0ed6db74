import { EventEmitter } from "node:events";
import { expect, test } from "vitest";
import { endWithReader } from "./end-with-reader.ts";

test("a program whose reader has gone ends as SIGPIPE would end it; other errors are errors", () => {
  const [out, err] = [new EventEmitter(), new EventEmitter()];
  const codes: number[] = [];
  endWithReader([out, err], (code) => codes.push(code));
  for (const output of [out, err]) output.emit("error", Object.assign(new Error("write EPIPE"), { code: "EPIPE" }));
  expect(codes).toEqual([141, 141]);
  expect(() => out.emit("error", Object.assign(new Error("write ENOSPC"), { code: "ENOSPC" }))).toThrow("ENOSPC");
});
