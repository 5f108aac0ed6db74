// `node apps/control/src/server/check-health.ts`: exit code 0 when the control plane of this environment answers, for a
// container's HEALTHCHECK or a supervisor. It asks itself on loopback, where its certificate names somebody else.
import { get as getHttp } from "node:http";
import { get as getHttps } from "node:https";
import { readControlConfig } from "./env.ts";

const TIMEOUT_MS = 4_000;

const { listen, tls } = readControlConfig(process.env);
const host = listen.host === "0.0.0.0" ? "127.0.0.1" : listen.host === "::" ? "::1" : listen.host;
const options = { host, port: listen.port, path: "/healthz", timeout: TIMEOUT_MS };
const request = tls === undefined ? getHttp(options) : getHttps({ ...options, rejectUnauthorized: false });
request.on("response", (response) => {
  response.resume();
  process.exitCode = response.statusCode === 200 ? 0 : 1;
});
request.on("timeout", () => request.destroy(new Error("no answer in time")));
request.on("error", (error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});
