import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { FlotillaError } from "@flotilla/core";
import { z } from "zod";

const credentialsFile = z.object({ version: z.literal(1), url: z.url(), token: z.string().startsWith("flt_") });
export type Credentials = { url: string; token: string };

function credentialsPath(): string {
  return join(process.env["XDG_CONFIG_HOME"] ?? join(homedir(), ".config"), "flotilla", "credentials.json");
}

/** FLOTILLA_URL and FLOTILLA_TOKEN, else what `flotilla login` stored. @throws unauthenticated. */
export function readCredentials(): Credentials {
  const { FLOTILLA_URL: url, FLOTILLA_TOKEN: token } = process.env;
  if (url !== undefined && token !== undefined) return { url: url.replace(/\/$/, ""), token };
  let text: string;
  try {
    text = readFileSync(credentialsPath(), "utf8");
  } catch (error) {
    throw new FlotillaError("unauthenticated", "sign in first: flotilla login URL --token flt_…", { cause: error });
  }
  const parsed = credentialsFile.safeParse(JSON.parse(text));
  if (!parsed.success) throw new FlotillaError("invalid", `${credentialsPath()} is damaged: sign in again with flotilla login`);
  return { url: parsed.data.url, token: parsed.data.token };
}

export function writeCredentials(credentials: Credentials): void {
  writePrivateFile(credentialsPath(), `${JSON.stringify({ version: 1, ...credentials })}\n`);
}

/** Replaces a file in one step, readable by its owner alone. */
export function writePrivateFile(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, text, { mode: 0o600 });
  chmodSync(temporary, 0o600);
  renameSync(temporary, path);
}
