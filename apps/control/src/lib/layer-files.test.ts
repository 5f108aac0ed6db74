import { expect, test } from "vitest";
import { filterFiles, type LayerFile, shareOf } from "./layer-files.ts";

const file = (path: string, kind: LayerFile["kind"]): LayerFile => ({ path, kind, sizeBytes: 1, hiddenBytes: 0 });
const FILES = [file("/usr/lib/libA.so", "added"), file("/usr/bin/a", "changed"), file("/var/cache/", "removed")];

test("files are found by a part of their path in any case, and by kind", () => {
  const paths = (text: string, kind: LayerFile["kind"] | null): string[] => filterFiles(FILES, { text, kind }).map(({ path }) => path);
  expect(paths("", null)).toEqual(FILES.map(({ path }) => path));
  expect(paths(" LIBa ", null)).toEqual(["/usr/lib/libA.so"]);
  expect(paths("/usr", "changed")).toEqual(["/usr/bin/a"]);
  expect(paths("nothing", null)).toEqual([]);
});

test("a share is never more than all, and nothing of nothing", () => {
  expect([shareOf(1, 4), shareOf(5, 4), shareOf(3, 0)]).toEqual([25, 100, 0]);
});
