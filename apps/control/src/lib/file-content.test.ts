import { describe, expect, test } from "vitest";
import { checkFileForm, formContent, MAX_FILE_BYTES, toBase64 } from "./file-content.ts";

const form = { name: "db-password", text: "gehört", bytes: null };

describe("checkFileForm", () => {
  test.each([
    [form, null],
    [{ ...form, name: "a b" }, "name"],
    [{ ...form, name: "" }, "name"],
    [{ ...form, name: "old" }, "taken"],
    [{ ...form, text: "" }, "empty"],
    [{ ...form, bytes: new Uint8Array(MAX_FILE_BYTES + 1) }, "large"],
    [{ ...form, text: "", bytes: new Uint8Array(1) }, null],
  ])("%#", (input, problem) => expect(checkFileForm(input, ["old"])).toBe(problem));
});

test("contents are the bytes that were meant", () => {
  expect(Buffer.from(formContent(form), "base64").toString("utf8")).toBe("gehört");
  expect(toBase64(new Uint8Array([0, 255, 10]))).toBe("AP8K");
  expect(formContent({ ...form, bytes: new Uint8Array([65]) })).toBe("QQ==");
});
