// `flotilla compose` as a V8 start-up snapshot: scripts/bootstrap.mjs has Node run the bundle of this file once and keep its heap, with all
// modules loaded and the functions of the frequent commands compiled. `scripts/flotilla` starts Node with that heap, and `start` below is
// where it begins. What belongs to one process (environment, directory, streams, connections) is therefore asked for in there only.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startupSnapshot } from "node:v8";
import { config } from "zod";
import { endWithReader } from "../../end-with-reader.ts";
import { composeCommand } from "../compose-command.ts";
import { isBundleCurrent } from "./sources.ts";
import { warmUp } from "./warm-up.ts";

// As in ../main.ts.
config({ jitless: true });

const command = composeCommand((code) => (process.exitCode = code));

/** `node --snapshot-blob BLOB -- ROOT [--json] compose …`: ROOT is the checkout that the snapshot belongs to. */
async function start(): Promise<void> {
  const [root = "", ...given] = process.argv.slice(1);
  forgetDirectory();
  endWithReader();
  // The other way makes bundle and snapshot anew.
  if (!isBundleCurrent(root)) {
    const argv = [process.execPath, join(root, "scripts", "flotilla.mjs"), ...given] as const;
    process.execve?.(process.execPath, argv, process.env);
  }
  await command.parseAsync(
    given.filter((arg, at) => at > 1 || arg !== "compose"),
    { from: "user" },
  );
}

/** Node remembers its directory once it was asked for; so it would be the one in which the snapshot was made. */
function forgetDirectory(): void {
  try {
    process.chdir(".");
  } catch {
    // One that is gone, or forbidden: who needs it asks again and gets the error.
  }
}

async function prepare(): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), "flotilla-warm-"));
  try {
    await warmUp(dir, (name, text) => writeFileSync(join(dir, name), text));
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

startupSnapshot.setDeserializeMainFunction(() => void start());
void prepare().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
