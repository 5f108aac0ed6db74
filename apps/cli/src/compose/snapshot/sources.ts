import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/**
 * Whether every file that the bundle was made of is as it was then. @param stamp a line about the tools, then lines `name mtimeMs size`
 * as scripts/bootstrap.mjs writes them into dist/compose/sources; names are relative to `root`.
 */
export function areSourcesCurrent(root: string, stamp: string): boolean {
  const [, ...lines] = stamp.split("\n");
  return (
    lines.length > 0 &&
    lines.every((line) => {
      const [name = ""] = line.split(" ", 1);
      const found = statSync(join(root, name), { throwIfNoEntry: false });
      return line === `${name} ${found?.mtimeMs} ${found?.size}`;
    })
  );
}

/** As above, of the checkout at `root`. A stamp that cannot be read is not current. */
export function isBundleCurrent(root: string): boolean {
  try {
    return areSourcesCurrent(root, readFileSync(join(root, "dist", "compose", "sources"), "utf8"));
  } catch {
    return false;
  }
}
