import type { Issues } from "../issue.ts";
import { child, type Node, textOf } from "../tree.ts";
import { field, type Fields, type NoteTarget, object, type Reader, refine, wrongValue } from "./reader.ts";
import { bool, duration, integer, texts } from "./scalars.ts";
import { message } from "../message.ts";

const test: Reader = (node, path, issues) => {
  const words = texts(node, path, issues);
  if (!Array.isArray(words)) return undefined;
  const [kind] = words;
  if (kind === "NONE" || ((kind === "CMD" || kind === "CMD-SHELL") && words.length > 1)) return words;
  return wrongValue({ node, path, issues }, message("must_be_health_test"));
};

export const HEALTHCHECK: Fields = {
  disable: field("isDisabled", bool),
  interval: field("intervalMs", duration),
  retries: field("retries", integer),
  start_interval: field("startIntervalMs", duration),
  start_period: field("startPeriodMs", duration),
  test: field("test", test),
  timeout: field("timeoutMs", duration),
};

export function healthcheck(target: NoteTarget): Reader {
  const keys = object(HEALTHCHECK, { target });
  return refine(keys, (node: Node, path: string, issues: Issues) => {
    const read = keys(node, path, issues);
    if (textOf(child(node, "disable")) === "true") return { test: ["NONE"] };
    if (typeof read !== "object" || read === null) return undefined;
    const { isDisabled: _, ...rest } = read as Record<string, unknown>;
    return rest;
  });
}
