import { readFileSync } from "node:fs";
import { unmount } from "./libc.ts";

/** Mount points at or below a directory, the innermost first, as /proc/self/mountinfo names them. */
export function mountsBelow(dir: string): string[] {
  const points = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .map((line) => unescape(line.split(" ")[4] ?? ""))
    .filter((point) => point === dir || point.startsWith(`${dir}/`));
  return points.reverse();
}

/** proc(5): space, tab, newline and backslash are written in octal. */
const unescape = (text: string): string =>
  text.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));

/** Unmounts everything at and below a directory. */
export function unmountBelow(dir: string): void {
  for (const point of mountsBelow(dir)) unmount(point);
}
