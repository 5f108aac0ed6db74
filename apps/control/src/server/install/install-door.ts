import { createReadStream, statSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { BUNDLE_DIRECTORY, readAgentBundle } from "./agent-bundle.ts";
import { formatInstallScript } from "./install-script.ts";

const ARCHITECTURES = ["x64", "arm64"] as const;
const RETRY_SECONDS = 30;

/**
 * `/install.sh` and the bundles that it downloads. Public: they hold no secret, and a machine that is no host yet has
 * nothing to prove itself by. What makes it a host is the join token, which stays on the command line.
 */
export async function serveInstall(req: IncomingMessage, res: ServerResponse, from: { path: string; controlUrl: string }): Promise<void> {
  if (req.method !== "GET" && req.method !== "HEAD")
    return answer(res, { status: 405, body: "only GET\n", headers: { allow: "GET, HEAD" } });
  const bundles = ARCHITECTURES.flatMap((architecture) => readAgentBundle(architecture) ?? []);
  if (from.path === "/install.sh") {
    if (bundles.length === 0) return answer(res, { status: 503, body: notReady(), headers: { "retry-after": String(RETRY_SECONDS) } });
    const body = formatInstallScript({ controlUrl: from.controlUrl, bundles });
    return answer(res, { status: 200, body, headers: { "content-type": "text/x-shellscript; charset=utf-8" } });
  }
  const bundle = bundles.find(({ file }) => from.path === `/install/${file}`);
  if (bundle === undefined) return answer(res, { status: 404, body: "there is no such file: fetch /install.sh anew\n" });
  const file = join(BUNDLE_DIRECTORY, bundle.file);
  res.writeHead(200, { "content-type": "application/gzip", "content-length": statSync(file).size, etag: `"${bundle.sha256}"` });
  if (req.method === "HEAD") return void res.end();
  // A client that goes away in the middle is everyday life.
  await pipeline(createReadStream(file), res).catch(() => undefined);
}

/** Read by a shell when somebody pipes it there all the same. */
function notReady(): string {
  return "echo 'flotilla: the control plane is still packing its agent: try again in half a minute' >&2; exit 1\n";
}

function answer(res: ServerResponse, { status, body, headers }: { status: number; body: string; headers?: Record<string, string> }): void {
  res.writeHead(status, { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store", ...headers });
  res.end(body);
}
