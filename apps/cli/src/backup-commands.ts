import { spawn } from "node:child_process";
import type { Output } from "./output.ts";
import { BACKUP_MAIN } from "./paths.ts";

export type BackupOptions = { passphraseFile?: string; withoutRegistry?: boolean; force: boolean };

/** Writes a backup of this machine's control plane. @param file default: named by the time, in the working directory. Returns the exit code. */
export async function backup(output: Output, file: string | undefined, options: BackupOptions): Promise<number> {
  return runBackup(output, ["backup", file ?? defaultName(new Date(), options)], options);
}

/** Makes a control plane on this machine from a backup. Returns the exit code. */
export async function restore(output: Output, file: string, options: BackupOptions): Promise<number> {
  return runBackup(output, ["restore", file], options);
}

/** `flotilla-20261126T041500Z.tar`, with `.age` when it is encrypted. */
export function defaultName(now: Date, { passphraseFile }: Pick<BackupOptions, "passphraseFile">): string {
  return `flotilla-${now.toISOString().replaceAll(/[-:]|\.\d+/g, "")}.tar${passphraseFile === undefined ? "" : ".age"}`;
}

/** A process of the control plane's own code does it, as it knows the database. */
function runBackup(output: Output, words: readonly string[], options: BackupOptions): Promise<number> {
  const flags = [
    ...(options.passphraseFile === undefined ? [] : ["--passphrase-file", options.passphraseFile]),
    ...(options.withoutRegistry === true ? ["--without-registry"] : []),
    ...(options.force ? ["--force"] : []),
    ...(output.isJson ? ["--json"] : []),
  ];
  return new Promise((resolve, reject) => {
    const argv = ["--disable-warning=ExperimentalWarning", BACKUP_MAIN, ...flags, "--", ...words];
    const child = spawn(process.execPath, argv, { stdio: "inherit", shell: false });
    child.once("error", reject);
    child.once("exit", (code) => resolve(code ?? 1));
  });
}
