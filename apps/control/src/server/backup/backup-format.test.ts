import { describe, expect, test } from "vitest";
import { type BackupManifest, backupManifest, findDamage, isBackupEntry } from "./backup-format.ts";

const sha256 = "a".repeat(64);
const manifest: BackupManifest = {
  format: 1,
  createdAt: "2026-11-26T04:00:00.000Z",
  version: "0.1.0",
  database: { migrations: ["1_first"], tables: [{ name: "teams", columns: ["id"], rows: 2 }], sequences: [] },
  hasRegistry: false,
  files: [
    { path: "secrets.json", size: 10, sha256 },
    { path: "database/teams.copy.gz", size: 20, sha256 },
  ],
};
const found = (): Map<string, { size: number; sha256: string }> =>
  new Map(manifest.files.map(({ path, size }) => [path, { size, sha256 }]));

describe("the files of a backup", () => {
  test.each([
    "secrets.json",
    "database/stack_revisions.copy.gz",
    `registry/blobs/ab/${"ab".repeat(32)}`,
    `registry/blobs/ab/${"ab".repeat(32)}.01a215ec-26e8-721c-b57c-58e6476b691f`,
  ])("%s is one", (path) => expect(isBackupEntry(path)).toBe(true));

  test.each([
    "manifest.json",
    "/etc/passwd",
    "../secrets.json",
    "database/../../x.copy.gz",
    "database/a/b.copy.gz",
    "registry/uploads/x",
    `registry/blobs/ab/${"ab".repeat(32)}/../../../../x`,
    "secrets.json\n",
    "",
  ])("%j is none", (path) => expect(isBackupEntry(path)).toBe(false));
});

describe("what a backup promises and does not hold", () => {
  test("nothing, when all is there", () => {
    expect(backupManifest.parse(manifest)).toEqual(manifest);
    expect(findDamage(manifest, found())).toBeUndefined();
  });

  test("a file that is missing, changed, or of somebody else", () => {
    const missing = found();
    missing.delete("secrets.json");
    expect(findDamage(manifest, missing)).toBe("secrets.json is missing");
    expect(findDamage(manifest, found().set("secrets.json", { size: 10, sha256: "b".repeat(64) }))).toMatch("secrets.json is not what");
    expect(findDamage(manifest, found().set("secrets.json", { size: 11, sha256 }))).toMatch("secrets.json is not what");
    expect(findDamage(manifest, found().set("database/users.copy.gz", { size: 1, sha256 }))).toMatch("users.copy.gz does not belong");
  });

  test("a table whose rows were never part of it", () => {
    const files = manifest.files.slice(0, 1);
    expect(findDamage({ ...manifest, files }, new Map([["secrets.json", { size: 10, sha256 }]]))).toMatch("teams.copy.gz is not part");
  });
});
