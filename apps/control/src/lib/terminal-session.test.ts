import { describe, expect, test } from "vitest";
import { parseExit, resizeMessage, terminalProtocols } from "./terminal-session.ts";

test("the ticket travels as a sub-protocol", () => expect(terminalProtocols("abc")).toEqual(["flotilla.terminal.v1", "ticket.abc"]));
test("a resize says columns and rows", () => expect(JSON.parse(resizeMessage(80, 24))).toEqual({ resize: { cols: 80, rows: 24 } }));

describe("parseExit", () => {
  test("gives the code", () => expect(parseExit('{"exit":{"code":3}}')).toBe(3));
  test("gives null when it is not known", () => expect(parseExit('{"exit":{"code":null}}')).toBeNull());
  test.each(["", "no json", "{}", '{"exit":{}}'])("%j tells no exit", (text) => expect(parseExit(text)).toBeUndefined());
});
