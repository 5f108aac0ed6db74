// The control plane of a lab: a real one with its embedded Postgres in a node of its own, behind TLS with a certificate of
// the lab's own authority, which the hosts are told to trust.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, openSync, closeSync, readFileSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { z } from "zod";
import { run } from "../../agent/src/host/run.ts";
import { ensureDashboard } from "../../apps/cli/src/up/build-dashboard.ts";
import { CONTROL_NODE, controlUrl, labDirectory, nodeAddress, type LabPlan } from "./lab-plan.ts";
import { inNode } from "./nodes.ts";
import { COMPILE_CACHE } from "../support/compile-cache.ts";

const CONTROL_MAIN = join(import.meta.dirname, "..", "..", "apps", "control", "src", "server", "main.ts");
const WITHOUT_PAGES = join(import.meta.dirname, "control-child.ts");
const START_TIMEOUT_MS = 60_000;
const POLL_MS = 50;
/** Of one call, on a machine that starts several labs and a browser at once. */
const CALL_TIMEOUT_MS = 30_000;
export const ADMIN_EMAIL = "admin@lab.test";

const tlsFile = (plan: LabPlan, name: string): string => join(labDirectory(plan.name), "tls", name);

/** An authority and a certificate for the control plane's address, valid for thirty days. Made once. */
export async function ensureCertificates(plan: LabPlan): Promise<void> {
  if (existsSync(tlsFile(plan, "control.pem"))) return;
  mkdirSync(join(labDirectory(plan.name), "tls"), { recursive: true, mode: 0o755 });
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const openssl = async (...args: string[]): Promise<void> => void (await run({ argv: ["openssl", ...args] }));
  const file = (name: string): string => tlsFile(plan, name);
  await openssl("req", "-x509", ...key, "-keyout", file("ca.key"), "-out", file("ca.pem"), "-days", "30", "-subj", `/CN=lab ${plan.name}`);
  await openssl("req", ...key, "-keyout", file("control.key"), "-out", file("control.csr"), "-subj", "/CN=control");
  writeFileSync(file("control.ext"), `subjectAltName=IP:${nodeAddress(plan, CONTROL_NODE)}\n`);
  const sign = ["-CA", file("ca.pem"), "-CAkey", file("ca.key"), "-CAcreateserial", "-extfile", file("control.ext")];
  await openssl("x509", "-req", "-in", file("control.csr"), ...sign, "-out", file("control.pem"), "-days", "30");
}

/** Starts the control plane in its node and waits until it is ready. */
export async function startControlNode(plan: LabPlan): Promise<void> {
  // Pages of other sources than the server's would be looked at otherwise.
  if (plan.hasDashboard) await ensureDashboard(() => undefined);
  const url = new URL(controlUrl(plan));
  const log = openSync(join(labDirectory(plan.name), "control.log"), "a");
  const main = plan.hasDashboard ? CONTROL_MAIN : WITHOUT_PAGES;
  const argv = inNode({ lab: plan.name, node: CONTROL_NODE }, [process.execPath, "--disable-warning=ExperimentalWarning", main]);
  const [file, ...args] = argv;
  const child = spawn(file, args, {
    env: {
      PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      HOME: "/root",
      FLOTILLA_DATA: labDirectory(plan.name),
      FLOTILLA_LISTEN: url.host,
      ...COMPILE_CACHE,
      FLOTILLA_TLS_CERT: tlsFile(plan, "control.pem"),
      FLOTILLA_TLS_KEY: tlsFile(plan, "control.key"),
      FLOTILLA_ADMIN_EMAIL: ADMIN_EMAIL,
      FLOTILLA_ADMIN_PASSWORD: plan.adminPassword,
      FLOTILLA_ADMIN_TOKEN: plan.adminToken,
    },
    stdio: ["ignore", log, log],
    detached: true,
  });
  child.unref();
  closeSync(log);
  for (const deadline = Date.now() + START_TIMEOUT_MS; ;) {
    if (await isControlReady(plan)) return;
    if (child.exitCode !== null || Date.now() > deadline)
      throw new Error(`the control plane does not start:\n${controlLog(plan).slice(-3000)}`);
    await setTimeout(POLL_MS);
  }
}

export const controlLog = (plan: LabPlan): string => {
  const file = join(labDirectory(plan.name), "control.log");
  return existsSync(file) ? readFileSync(file, "utf8") : "";
};

export async function isControlReady(plan: LabPlan): Promise<boolean> {
  return call(plan, { method: "GET", path: "/readyz" }).then(
    (answer) => answer.status === 200,
    () => false,
  );
}

const trpcAnswer = z.object({
  result: z.object({ data: z.unknown() }).optional(),
  error: z.object({ message: z.string() }).optional(),
});

/** Calls a procedure as the lab's administrator. @throws with the procedure's message. */
export async function callControl(plan: LabPlan, kind: "query" | "mutation", procedure: string, input?: unknown): Promise<unknown> {
  const body = input === undefined ? undefined : JSON.stringify(input);
  const query = kind === "query" && body !== undefined ? `?input=${encodeURIComponent(body)}` : "";
  const answer = await call(plan, {
    method: kind === "query" ? "GET" : "POST",
    path: `/api/trpc/${procedure}${query}`,
    body: kind === "query" ? undefined : body,
  });
  const { result, error } = trpcAnswer.parse(JSON.parse(answer.body));
  if (result === undefined) throw new Error(`${procedure}: ${error?.message ?? `answered ${answer.status}`}`);
  return result.data;
}

const newJoinToken = z.object({ token: z.string() });

/** A join token for one host. */
export async function createJoinToken(plan: LabPlan, host: string): Promise<string> {
  const made = await callControl(plan, "mutation", "hosts.joinTokens.create", { name: host, expiresInMinutes: 10, uses: 1 });
  return newJoinToken.parse(made).token;
}

const hostList = z.array(z.object({ name: z.string(), state: z.string() }));

/** Hosts that the control plane knows, and whether each is connected. */
export async function listControlHosts(plan: LabPlan): Promise<{ name: string; isOnline: boolean }[]> {
  const hosts = hostList.parse(await callControl(plan, "query", "hosts.list"));
  return hosts.map(({ name, state }) => ({ name, isOnline: state === "online" }));
}

type HttpCall = { method: string; path: string; body?: string | undefined };

/** Why a control plane that ended, or does not answer, did so is in its log, which goes with the lab. */
const withLog = (plan: LabPlan, what: string, cause?: Error): Error =>
  new Error(`${what}. The end of the control plane's log:\n${controlLog(plan).slice(-3000)}`, { cause });

function call(plan: LabPlan, what: HttpCall): Promise<{ status: number; body: string }> {
  const ca = readFileSync(tlsFile(plan, "ca.pem"));
  const headers = { authorization: `Bearer ${plan.adminToken}`, "content-type": "application/json" };
  return new Promise((resolve, reject) => {
    const req = request(
      `${controlUrl(plan)}${what.path}`,
      { method: what.method, ca, headers, agent: false, timeout: CALL_TIMEOUT_MS },
      (res) => {
        const chunks: Buffer[] = [];
        res.on("data", (chunk: Buffer) => chunks.push(chunk));
        res.on("end", () => resolve({ status: res.statusCode ?? 0, body: Buffer.concat(chunks).toString("utf8") }));
        res.on("error", reject);
      },
    );
    req.on("timeout", () => req.destroy(withLog(plan, `${what.path} was not answered in time`)));
    req.on("error", (error: NodeJS.ErrnoException) => reject(error.code === "ECONNREFUSED" ? withLog(plan, error.message, error) : error));
    req.end(what.body);
  });
}
