import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { extract, type Header, pack } from "tar-stream";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { packPath, unpackInto } from "./archive.ts";
import { packContext } from "./build-context.ts";
import { tarOf } from "./tar-files.ts";

let dir: string;
beforeEach(() => (dir = mkdtempSync(join(tmpdir(), "flc-"))));
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** Names, types and contents of an archive. */
async function listOf(archive: Readable): Promise<Record<string, string>> {
  const reader = extract();
  archive.pipe(reader);
  const result: Record<string, string> = {};
  for await (const entry of reader) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(chunk as Buffer);
    const { name, type, linkname } = entry.header;
    result[name] =
      type === "file"
        ? Buffer.concat(chunks).toString("utf8")
        : `(${type}${linkname === null || linkname === undefined || linkname === "" ? "" : ` ${linkname}`})`;
  }
  return result;
}

const archiveOf = (...entries: [Partial<Header> & { name: string }, string?][]): Readable => {
  const archive = pack();
  for (const [header, content] of entries) archive.entry(header as Header, content ?? "");
  archive.finalize();
  return Readable.from(archive);
};

describe("what comes out of a container", () => {
  test("is unpacked below the directory, under another name if there is one", async () => {
    await unpackInto(
      archiveOf(
        [{ name: "tree/", type: "directory" }],
        [{ name: "tree/file", mode: 0o640 }, "x"],
        [{ name: "tree/link", type: "symlink", linkname: "file" }],
      ),
      { dir, rename: "other" },
    );
    expect(readFileSync(join(dir, "other/file"), "utf8")).toBe("x");
    expect(statSync(join(dir, "other/file")).mode & 0o7777).toBe(0o640);
    expect(readlinkSync(join(dir, "other/link"))).toBe("file");
  });

  test("only its contents, where they are asked for", async () => {
    await unpackInto(archiveOf([{ name: "tree/", type: "directory" }], [{ name: "tree/f" }, "x"]), { dir, rename: "" });
    expect(readFileSync(join(dir, "f"), "utf8")).toBe("x");
  });

  test.each([
    ["leaves by its words", [[{ name: "../escaped" }, "x"]]],
    ["leaves deeper down", [[{ name: "a/../../escaped" }, "x"]]],
    ["goes through a link", [[{ name: "l", type: "symlink", linkname: ".." }], [{ name: "l/escaped" }, "x"]]],
  ] as [string, [Partial<Header> & { name: string }, string?][]][])("an entry that %s is refused", async (_name, entries) => {
    const inner = join(dir, "inner");
    mkdirSync(inner);
    await expect(unpackInto(archiveOf(...entries), { dir: inner, rename: undefined })).rejects.toThrow("outside of its directory");
    expect(existsSync(join(dir, "escaped"))).toBe(false);
  });

  test("does not write through a link that is there, and makes no set-id program and no device", async () => {
    writeFileSync(join(dir, "precious"), "kept");
    symlinkSync(join(dir, "precious"), join(dir, "name"));
    await unpackInto(archiveOf([{ name: "name", mode: 0o4755 }, "new"], [{ name: "dev", type: "character-device" }]), {
      dir,
      rename: undefined,
    });
    expect(readFileSync(join(dir, "precious"), "utf8")).toBe("kept");
    expect(lstatSync(join(dir, "name")).mode & 0o7777).toBe(0o755);
    expect(existsSync(join(dir, "dev"))).toBe(false);
  });
});

test("a tree goes in under the name that it shall have", async () => {
  mkdirSync(join(dir, "t/sub"), { recursive: true });
  writeFileSync(join(dir, "t/sub/f"), "x");
  writeFileSync(join(dir, "t/empty"), "");
  symlinkSync("sub/f", join(dir, "t/l"));
  expect(await listOf(packPath(join(dir, "t"), { name: "n", keepsOwner: false }) as unknown as Readable)).toEqual({
    "n/": "(directory)",
    "n/empty": "",
    "n/l": "(symlink sub/f)",
    "n/sub/": "(directory)",
    "n/sub/f": "x",
  });
});

test("secrets go in with the directories above them", async () => {
  const file = (target: string): Parameters<typeof tarOf>[0][number] => ({
    target,
    content: Buffer.from("s"),
    uid: 5,
    gid: 6,
    mode: 0o400,
  });
  expect(await listOf(tarOf([file("/run/secrets/a"), file("/run/secrets/b")]) as unknown as Readable)).toEqual({
    "run/": "(directory)",
    "run/secrets/": "(directory)",
    "run/secrets/a": "s",
    "run/secrets/b": "s",
  });
});

describe("a build context", () => {
  test("leaves out what .dockerignore says, takes back what it takes back, and always has the Dockerfile", async () => {
    mkdirSync(join(dir, "node_modules/keep"), { recursive: true });
    for (const [name, text] of Object.entries({
      Dockerfile: "FROM x",
      ".dockerignore": "Dockerfile\nnode_modules\n!node_modules/keep\n*.log\n",
      "a.log": "l",
      b: "b",
      "node_modules/x": "x",
      "node_modules/keep/y": "y",
      empty: "",
    }))
      writeFileSync(join(dir, name), text);
    const { stream, dockerfile } = packContext(dir, { dockerfile: "Dockerfile", inline: undefined });
    expect(dockerfile).toBe("Dockerfile");
    expect(Object.keys(await listOf(stream)).sort()).toEqual([
      ".dockerignore",
      "Dockerfile",
      "b",
      "empty",
      "node_modules/keep/",
      "node_modules/keep/y",
    ]);
  });

  test("has an inline Dockerfile, or one from elsewhere, beside its files", async () => {
    writeFileSync(join(dir, "f"), "x");
    const { stream, dockerfile } = packContext(dir, { dockerfile: "Dockerfile", inline: "FROM y" });
    expect(await listOf(stream)).toEqual({ [dockerfile]: "FROM y", f: "x" });
  });

  test("must be there", () => {
    expect(() => packContext(join(dir, "no"), { dockerfile: "Dockerfile", inline: undefined })).toThrow("not found");
  });
});
