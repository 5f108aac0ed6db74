import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { FlotillaError } from "@flotilla/core";
import type { Command } from "commander";
import { z } from "zod";
import type { Output } from "../output.ts";
import { callProcedure } from "../remote/call-procedure.ts";
import { readCredentials } from "../remote/credentials.ts";
import { checkLines } from "./check-lines.ts";

type Run = (command: (output: Output) => Promise<number | void>) => Promise<void>;

const verification = z.object({
  isWhole: z.boolean(),
  fault: z.object({ seq: z.string(), rowId: z.string(), reason: z.string() }).nullable(),
  sealCount: z.number(),
  head: z.object({ seq: z.string(), hash: z.string() }),
});
const failure = z.union([z.object({ message: z.string() }), z.object({ detail: z.string() })]);

/** Options that narrow an export, as the page's filters do. */
const FILTERS: Readonly<Record<string, string>> = {
  actor: "who did it",
  action: "what was done (`host.rename`, or all of `host`)",
  object: "to what",
  outcome: "ok, refused, failed or started",
  scope: "`instance`: of all teams, the whole chain",
  from: "not before this time (RFC 3339)",
  to: "before this time",
};

/** `flotilla audit …`. */
export function addAuditCommands(program: Command, run: Run): void {
  const audit = program.command("audit").description("who did what: the audit and its hash chain");
  audit
    .command("verify")
    .description("walk the hash chain and name the first row that breaks it (exit code 1)")
    .option("--head <seq:hash>", "a head that an earlier verification gave: the chain must hold it")
    .option("--file <file>", "check exported lines instead, without asking the control plane")
    .action((options: VerifyOptions) => run((output) => verifyAudit(output, options)));
  const exporting = audit.command("export").description("write the audit as JSON lines to standard output");
  for (const [name, description] of Object.entries(FILTERS)) exporting.option(`--${name} <${name}>`, description);
  exporting.action((options: Record<string, string>) => run(() => exportAudit(options)));
}

type VerifyOptions = { head?: string; file?: string };

async function verifyAudit(output: Output, { head, file }: VerifyOptions): Promise<number> {
  if (file !== undefined) return verifyFile(output, file);
  const input = head === undefined ? {} : { head };
  const found = await callProcedure(readCredentials(), { kind: "query", path: "activity.verify", input, output: verification });
  const at = found.fault === null ? "" : `row ${found.fault.rowId} (seal ${found.fault.seq}) breaks the chain: ${found.fault.reason}`;
  output.result(found.isWhole ? `the chain is whole: ${found.sealCount} seals, head ${found.head.seq}:${found.head.hash}` : at, found);
  return found.isWhole ? 0 : 1;
}

async function verifyFile(output: Output, path: string): Promise<number> {
  const found = await checkLines(createInterface({ input: createReadStream(path), crlfDelay: Infinity })).catch((error: unknown) => {
    throw new FlotillaError("invalid", `${path} cannot be read`, { cause: error });
  });
  const { fault, lines, gaps, head } = found;
  const whole = `${lines} lines follow each other${gaps === 0 ? "" : `, with ${gaps} gaps`}; head ${head?.seq ?? 0}:${head?.hash ?? ""}`;
  output.result(fault === null ? whole : `line ${fault.line}: ${fault.reason}`, found);
  return fault === null ? 0 : 1;
}

async function exportAudit(filter: Record<string, string>): Promise<void> {
  const { url, token } = readCredentials();
  const address = `${url}/api/v1/audit/export?${new URLSearchParams(filter).toString()}`;
  const response = await fetch(address, { headers: { authorization: `Bearer ${token}` }, redirect: "error" }).catch((error: unknown) => {
    throw new FlotillaError("unavailable", `${url} cannot be reached`, { cause: error });
  });
  if (!response.ok || response.body === null) {
    const told = failure.safeParse(await response.json().catch(() => undefined));
    const message = told.success ? Object.values(told.data)[0] : undefined;
    throw new FlotillaError("invalid", message ?? `${url} answered ${response.status}`);
  }
  await pipeline(Readable.fromWeb(response.body), process.stdout, { end: false });
}
