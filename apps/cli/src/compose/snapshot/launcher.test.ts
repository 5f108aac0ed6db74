// scripts/flotilla in a checkout of a few files, with programs that say how they were called in place of Node.
import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

const LAUNCHER = join(import.meta.dirname, "..", "..", "..", "..", "..", "scripts", "flotilla");
const NODE = "tools/node";

let root = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "flt-launcher-"));
  const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  mkdirSync(join(root, "scripts"));
  cpSync(LAUNCHER, join(root, "scripts", "flotilla"));
  write("bin/node", '#!/bin/sh\necho plain "$@"\n');
  write(NODE, '#!/bin/sh\necho snapshot "$@"\n');
  write(".tools/versions", "node 24, pnpm 12");
  write("dist/compose/start", `node 24, pnpm 12 ${boot}\n${NODE}\n`);
  write("dist/compose/start.blob", "heap");
  // As when the snapshot was made, some time after its Node was installed.
  utimesSync(join(root, NODE), 1, 1);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(name: string, text: string): void {
  mkdirSync(dirname(join(root, name)), { recursive: true });
  writeFileSync(join(root, name), text);
  chmodSync(join(root, name), 0o755);
}

/** What was started, with paths from the checkout on. */
function launch(args: readonly string[], { env = {}, path = join(root, "scripts", "flotilla") } = {}): string {
  const PATH = `${join(root, "bin")}:${process.env["PATH"] ?? ""}`;
  const { stdout, stderr } = spawnSync(path, args, { env: { PATH, ...env }, encoding: "utf8" });
  expect(stderr).toBe("");
  return stdout.trim().replace(/\S*(?:flt-launcher-|\.\.)\S*/g, (found) => `/${resolve(found).slice(root.length)}`.replace("//", "/"));
}

const SNAPSHOT = "snapshot --disable-warning=ExperimentalWarning --snapshot-blob /dist/compose/start.blob -- / ";
const PLAIN = "plain /scripts/flotilla.mjs ";

test.each([["compose up -d"], ["--json compose ps"]])("%s begins from the snapshot", (line) => {
  expect(launch(line.split(" "))).toBe(`${SNAPSHOT}${line}`);
});

test.each([["up"], ["--json up"], ["stack compose"], ["--help"]])("%s does not", (line) => {
  expect(launch(line.split(" "))).toBe(`${PLAIN}${line}`);
});

test("arguments keep their bounds, and an empty one is one", () => {
  write(NODE, '#!/bin/sh\nfor arg; do echo "<$arg>"; done\n');
  utimesSync(join(root, NODE), 1, 1);
  expect(launch(["compose", "run", "a b", "", "$(id)"])).toContain("<compose>\n<run>\n<a b>\n<>\n<$(id)>");
});

test("links to it are followed, also links to links and relative ones", () => {
  symlinkSync("../scripts/flotilla", join(root, "bin", "one"));
  symlinkSync(join(root, "bin", "one"), join(root, "two"));
  for (const path of [join(root, "bin", "one"), join(root, "two")])
    expect(launch(["compose", "ps"], { path })).toBe(`${SNAPSHOT}compose ps`);
});

test.each<[string, () => void]>([
  ["there is none", () => rmSync(join(root, "dist"), { recursive: true })],
  ["it could not be made", () => rmSync(join(root, "dist/compose/start.blob"))],
  ["it is empty", () => write("dist/compose/start.blob", "")],
  ["other tools are there than made it", () => write(".tools/versions", "node 25, pnpm 12")],
  ["no tools are there", () => rmSync(join(root, ".tools"), { recursive: true })],
  ["it is of another start of the machine", () => write("dist/compose/start", `node 24, pnpm 12 0000\n${NODE}\n`)],
  ["its Node is gone", () => rmSync(join(root, NODE))],
  ["its Node is newer", () => utimesSync(join(root, NODE), new Date(2100, 0, 1), new Date(2100, 0, 1))],
  ["what made it was cut off", () => write("dist/compose/start", "node 24")],
])("without a snapshot it goes on as it can: %s", (_why, change) => {
  change();
  expect(launch(["compose", "ps"])).toBe(`${PLAIN}compose ps`);
});

test("who gives Node options gets a Node with them", () => {
  expect(launch(["compose", "ps"], { env: { NODE_OPTIONS: "--inspect" } })).toBe(`${PLAIN}compose ps`);
});
