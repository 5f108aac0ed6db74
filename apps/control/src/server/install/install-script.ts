import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { AgentBundle } from "./agent-bundle.ts";

/** Everything but the addresses and digests. */
const SCRIPT = readFileSync(join(import.meta.dirname, "install.sh"), "utf8");

export type InstallScriptInput = {
  /** By which hosts reach the control plane, without a slash at the end. */
  controlUrl: string;
  bundles: readonly AgentBundle[];
};

/** `uname -m` of Node's architectures. */
const MACHINES = { x64: "x86_64", arm64: "aarch64" } as const;

/**
 * The script that makes a bare Debian machine a host: `curl -fsSL URL/install.sh | sh -s -- --token T`. Pure. It is written
 * for a POSIX shell and runs in one function, so that a download that breaks off runs nothing. Whatever comes from outside
 * is quoted; the bundle is trusted by its digest, which stands in this very text.
 */
export function formatInstallScript({ controlUrl, bundles }: InstallScriptInput): string {
  const cases = bundles.map(
    (bundle) =>
      `    ${MACHINES[bundle.architecture]}) file=${quote(bundle.file)}; digest=${bundle.sha256}; packages=${quote(bundle.debianPackages.join(" "))} ;;`,
  );
  return SCRIPT.replace("@URL@", () => quote(controlUrl)).replace("@CASES@", () => cases.join("\n"));
}

/** As one word of a POSIX shell. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
