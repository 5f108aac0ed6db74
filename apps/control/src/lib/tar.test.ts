import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { makeTar } from "./tar.ts";

const dir = mkdtempSync(join(tmpdir(), "flt-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

async function unpack(entries: Parameters<typeof makeTar>[0]): Promise<void> {
  const file = join(dir, "a.tar");
  writeFileSync(file, Buffer.from(await makeTar(entries).arrayBuffer()));
  execFileSync("tar", ["-xf", file, "-C", dir]);
}

describe("makeTar", () => {
  test("GNU tar reads its files, also with long and foreign names", async () => {
    const long = `${"deep/".repeat(30)}file.txt`;
    await unpack([
      { path: "Dockerfile", content: new Blob(["FROM scratch\n"]) },
      { path: long, content: new Blob(["x".repeat(513)]) },
      { path: "文件/ü.txt", content: new Blob([""]) },
    ]);
    expect(readFileSync(join(dir, "Dockerfile"), "utf8")).toBe("FROM scratch\n");
    expect(readFileSync(join(dir, long), "utf8")).toHaveLength(513);
    expect(readFileSync(join(dir, "文件/ü.txt"), "utf8")).toBe("");
  });

  test("an archive of nothing is two empty blocks", async () => {
    expect(makeTar([]).size).toBe(1024);
  });
});
