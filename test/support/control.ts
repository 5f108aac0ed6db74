import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger, type Logger } from "@flotilla/core";
import { readControlConfig } from "../../apps/control/src/server/env.ts";
import { type Control, startControl } from "../../apps/control/src/server/start-control.ts";
import { prepareControlData } from "./control-data.ts";

export const ADMIN = { name: "Ada", email: "ada@example.test", password: "correct horse battery", teamName: "Harbour" } as const;
export const ADMIN_TOKEN = "flt_test_0123456789abcdefghijklmnopqrstuvwxyz";

export type TestControl = Control & {
  dir: string;
  port: number;
  /** Calls a procedure as a page or a script would; throws an Error whose message is the procedure's, with `code` and `status`. */
  call(path: string, input?: unknown, options?: CallOptions): Promise<unknown>;
  /** Signs in and returns the Cookie header. */
  signIn(email: string, password: string): Promise<string>;
  /** Stops and starts it again on the same data and port. */
  restart(): Promise<void>;
};

export type CallOptions = { kind?: "query" | "mutation"; token?: string | undefined; cookie?: string; headers?: Record<string, string> };

export type CallError = Error & { code: string; status: number };

export type TestControlOptions = {
  withAdmin?: boolean;
  isFirstStart?: boolean;
  logger?: Logger;
  env?: Record<string, string>;
  judgeAfterMs?: number;
  secretsFile?: string;
};

/**
 * A control plane in this process, without the dashboard: embedded Postgres, real sockets, a temporary directory.
 * `withAdmin` makes ADMIN and the API token ADMIN_TOKEN at the start; `isFirstStart` makes the database as the product does;
 * `secretsFile` is that of another control plane on the same database.
 */
export async function startTestControl(options: TestControlOptions = {}): Promise<TestControl> {
  const dir = mkdtempSync(join(tmpdir(), "flc-"));
  const port = await freePort();
  const admin = { FLOTILLA_ADMIN_EMAIL: ADMIN.email, FLOTILLA_ADMIN_PASSWORD: ADMIN.password, FLOTILLA_ADMIN_TOKEN: ADMIN_TOKEN };
  const env = { FLOTILLA_DATA: dir, FLOTILLA_LISTEN: `127.0.0.1:${port}`, ...(options.withAdmin === true ? admin : {}), ...options.env };
  const start = (): Promise<Control> =>
    startControl({
      config: readControlConfig(env),
      logger: options.logger ?? silentLogger,
      version: "0.0.0-test",
      ...(options.judgeAfterMs === undefined ? {} : { judgeAfterMs: options.judgeAfterMs }),
    });
  let control: Control;
  try {
    if (options.isFirstStart !== true && options.env?.["DATABASE_URL"] === undefined)
      await prepareControlData(readControlConfig(env).dataDir);
    if (options.secretsFile !== undefined) {
      mkdirSync(readControlConfig(env).dataDir, { recursive: true });
      copyFileSync(options.secretsFile, join(readControlConfig(env).dataDir, "secrets.json"));
    }
    control = await start();
  } catch (error) {
    rmSync(dir, { recursive: true, force: true });
    throw error;
  }
  const url = control.url;
  return {
    dir,
    port,
    url,
    get setupUrl() {
      return control.setupUrl;
    },
    get services() {
      return control.services;
    },
    issueLocalJoinToken: () => control.issueLocalJoinToken(),
    call: (path, input, callOptions) => callProcedure(url, { path, input, options: callOptions ?? {} }),
    signIn: (email, password) => signIn(url, email, password),
    restart: async () => {
      await control.close();
      control = await start();
    },
    close: async () => {
      await control.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

async function callProcedure(url: string, call: { path: string; input: unknown; options: CallOptions }): Promise<unknown> {
  const { kind = "query", token, cookie, headers } = call.options;
  const auth: Record<string, string> = {
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(cookie === undefined ? {} : { cookie, origin: url }),
  };
  const input = call.input === undefined ? undefined : JSON.stringify(call.input);
  const response =
    kind === "query"
      ? await fetch(`${url}/api/trpc/${call.path}${input === undefined ? "" : `?input=${encodeURIComponent(input)}`}`, {
          headers: { ...auth, ...headers },
        })
      : await fetch(`${url}/api/trpc/${call.path}`, {
          method: "POST",
          headers: { "content-type": "application/json", ...auth, ...headers },
          ...(input === undefined ? {} : { body: input }),
        });
  const answer = (await response.json()) as {
    result?: { data: unknown };
    error?: { message: string; data: { code: string } };
    message?: string;
  };
  if (answer.result !== undefined) return answer.result.data;
  const error = new Error(answer.error?.message ?? answer.message ?? `answered ${response.status}`);
  throw Object.assign(error, { code: answer.error?.data.code ?? "", status: response.status });
}

async function signIn(url: string, email: string, password: string): Promise<string> {
  const response = await fetch(`${url}/api/auth/sign-in/email`, {
    method: "POST",
    headers: { "content-type": "application/json", origin: url },
    body: JSON.stringify({ email, password }),
  });
  if (response.status !== 200)
    throw Object.assign(new Error(`sign-in answered ${response.status}: ${await response.text()}`), { status: response.status });
  return response.headers
    .getSetCookie()
    .map((cookie) => cookie.split(";")[0] ?? "")
    .join("; ");
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
