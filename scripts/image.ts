// `npm run image`: builds the control plane's image on the engine that DOCKER_HOST or docker's context names.
//
//   npm run image                        flotilla-control:latest
//   npm run image -- NAME[:TAG] [--build-arg …]
import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeControlBundle } from "./bundle.ts";

const [name = "flotilla-control:latest", ...more] = process.argv.slice(2);
const context = mkdtempSync(join(tmpdir(), "flotilla-image-"));
try {
  await makeControlBundle(context);
  cpSync(join(import.meta.dirname, "..", "examples", "control"), context, { recursive: true });
  process.exitCode = await new Promise<number>((resolve, reject) => {
    const child = spawn("docker", ["build", "-t", name, ...more, context], { stdio: "inherit", shell: false });
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? 1));
  });
} finally {
  rmSync(context, { recursive: true, force: true });
}
