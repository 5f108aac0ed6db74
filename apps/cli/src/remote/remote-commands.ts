import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline/promises";
import { z } from "zod";
import type { Output } from "../output.ts";
import { callProcedure } from "./call-procedure.ts";
import { readCredentials, writeCredentials, writePrivateFile } from "./credentials.ts";

const me = z.object({
  user: z.object({ email: z.string(), role: z.object({ name: z.string() }).nullable() }),
  team: z.object({ name: z.string() }),
});
const newToken = z.object({ token: z.string() });
const hostRow = z.object({ id: z.string(), name: z.string() });

/** Stores an API token for later commands, after trying it. */
export async function login(output: Output, url: string, options: { token?: string }): Promise<void> {
  const credentials = { url: url.replace(/\/$/, ""), token: options.token ?? (await askToken()) };
  const { user, team } = await callProcedure(credentials, { kind: "query", path: "me.get", output: me });
  writeCredentials(credentials);
  const role = user.role?.name ?? "instance administrator";
  output.result(`Signed in to ${credentials.url} as ${user.email} (${role} of ${team.name}).`, {
    url: credentials.url,
    email: user.email,
    role,
  });
}

async function askToken(): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await terminal.question("API token (made on the page Settings → Tokens): ")).trim();
  } finally {
    terminal.close();
  }
}

export async function createToken(output: Output, options: { name: string; days?: string }): Promise<void> {
  const expiresInDays = options.days === undefined ? null : Number(options.days);
  const { token } = await callProcedure(readCredentials(), {
    kind: "mutation",
    path: "tokens.create",
    input: { name: options.name, expiresInDays },
    output: newToken,
  });
  output.result(token, { token });
}

const dockerConfig = z.looseObject({ HttpHeaders: z.record(z.string(), z.string()).optional() });

/**
 * Writes a docker context `flotilla-HOST` (docker's own files: a context's id is the SHA-256 of its name). Docker keeps
 * headers for all contexts together, so the token's header goes there only when asked for.
 */
export async function writeContext(output: Output, host: string, options: { headers: boolean }): Promise<void> {
  const credentials = readCredentials();
  const found = await callProcedure(credentials, { kind: "query", path: "hosts.get", input: { host }, output: hostRow });
  const directory = process.env["DOCKER_CONFIG"] ?? join(homedir(), ".docker");
  const name = `flotilla-${found.name}`;
  const url = new URL(credentials.url);
  const endpoint = `tcp://${url.host}/docker/${found.name}`;
  const isTls = url.protocol === "https:";
  const meta = {
    Name: name,
    Metadata: { Description: `host ${found.name} of ${credentials.url}` },
    Endpoints: { docker: { Host: endpoint, SkipTLSVerify: false } },
  };
  const id = createHash("sha256").update(name).digest("hex");
  writePrivateFile(join(directory, "contexts", "meta", id, "meta.json"), JSON.stringify(meta));
  if (options.headers) writeHeaders(join(directory, "config.json"), credentials.token);
  const hint = options.headers ? "" : `\nexport DOCKER_CUSTOM_HEADERS='Authorization=Bearer ${credentials.token}'`;
  const tls = isTls ? "\nexport DOCKER_TLS=1" : "";
  output.result(`docker context use ${name}${hint}${tls}`, { context: name, endpoint });
}

function writeHeaders(path: string, token: string): void {
  let config: z.output<typeof dockerConfig> = {};
  try {
    config = dockerConfig.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
  }
  writePrivateFile(
    path,
    `${JSON.stringify({ ...config, HttpHeaders: { ...config.HttpHeaders, Authorization: `Bearer ${token}` } }, null, 2)}\n`,
  );
}
