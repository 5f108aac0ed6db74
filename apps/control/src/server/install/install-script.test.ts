import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type AgentBundle, readAgentBundle } from "./agent-bundle.ts";
import { formatInstallScript, quote } from "./install-script.ts";

const bundle: AgentBundle = {
  version: "1.2.3",
  architecture: "x64",
  file: "flotilla-agent-1.2.3-abc-linux-x64.tar.gz",
  sha256: "ab".repeat(32),
  sizeBytes: 5,
  debianPackages: ["crun", "iproute2"],
};

const format = (controlUrl: string, bundles = [bundle]): string => formatInstallScript({ controlUrl, bundles });

test("is a script that a POSIX shell reads, with address, digest and packages in it", () => {
  const script = format("https://flotilla.example.org");
  execFileSync("sh", ["-n"], { input: script });
  expect(script).toContain("url='https://flotilla.example.org'");
  expect(script).toContain(`x86_64) file='${bundle.file}'; digest=${bundle.sha256}; packages='crun iproute2' ;;`);
  expect(script).not.toMatch(/@URL@|@CASES@/);
});

test("a cut-off download runs nothing: the last line is the only call", () => {
  const lines = format("https://x.test").trimEnd().split("\n");
  expect(lines.at(-1)).toBe('main "$@"');
  const cut = lines.slice(0, -1).join("\n");
  expect(execFileSync("sh", { input: cut }).toString()).toBe("");
});

test.each(["https://x.test/'; touch /tmp/owned; '", "https://$(id).test", "https://`id`.test", 'https://".test', "https://a\nb.test"])(
  "%j stays one word",
  (url) => {
    expect(execFileSync("sh", ["-c", `printf %s ${quote(url)}`]).toString()).toBe(url);
    execFileSync("sh", ["-n"], { input: format(url) });
  },
);

test("the text of a bundle is not a pattern", () => {
  expect(format("https://$&.test")).toContain("url='https://$&.test'");
});

test("without a bundle for a machine it says so", () => {
  const script = format("https://x.test", []).replace("uname -m", "echo sparc64").replace("$(id -u)", "0");
  const run = (): Buffer => execFileSync("sh", ["-s", "--", "--token", "t"], { input: script, stdio: ["pipe", "pipe", "pipe"] });
  expect(run).toThrow(/the control plane has no agent for sparc64/);
});

test.each([
  ["whole", {}, true],
  ["for another architecture", { architecture: "arm64" }, false],
  ["with a path for a name", { file: "../../etc/passwd" }, false],
  ["with a package that is an option", { debianPackages: ["-o=x"] }, false],
  ["without a digest", { sha256: undefined }, false],
])("a manifest %s", (_what, change, isGood) => {
  const directory = mkdtempSync(join(tmpdir(), "flt-bundle-"));
  try {
    writeFileSync(join(directory, "linux-x64.json"), JSON.stringify({ ...bundle, ...change }));
    expect(readAgentBundle("x64", directory)).toEqual(isGood ? bundle : undefined);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("no manifest, and one that is no JSON, are no bundle", () => {
  const directory = mkdtempSync(join(tmpdir(), "flt-bundle-"));
  try {
    expect(readAgentBundle("x64", directory)).toBeUndefined();
    writeFileSync(join(directory, "linux-x64.json"), "{");
    expect(readAgentBundle("x64", directory)).toBeUndefined();
  } finally {
    rmSync(directory, { recursive: true });
  }
});
