import type { IncomingMessage, ServerResponse } from "node:http";
import { HTTP_STATUS, toFlotillaError } from "@flotilla/core";
import { registryCodeOf, REGISTRY_SERVICE, type RegistryCaller, type ServiceContext } from "@flotilla/services";
import { describeError } from "../http/answer.ts";
import { operationOf, type RegistryRoute } from "./parse-route.ts";

/** One request to the registry on its way. */
export type Exchange = {
  services: ServiceContext;
  req: IncomingMessage;
  res: ServerResponse;
  query: URLSearchParams;
  /** `http://host:port` as the client calls us. */
  origin: string;
  address: string;
};

/** A request whose caller is known. */
export type CallerExchange = Exchange & { caller: RegistryCaller };

/** Headers of every answer. Content of others is shown from this origin: a browser must not run it. */
export function setRegistryHeaders(res: ServerResponse): void {
  res.setHeader("docker-distribution-api-version", "registry/2.0");
  res.setHeader("x-content-type-options", "nosniff");
  res.setHeader("content-security-policy", "default-src 'none'; sandbox; frame-ancestors 'none'");
}

export function answerRegistryJson(exchange: Exchange, status: number, answer: { body: unknown; contentType?: string }): void {
  const text = JSON.stringify(answer.body);
  exchange.res.writeHead(status, { "content-type": answer.contentType ?? "application/json", "content-length": Buffer.byteLength(text) });
  exchange.res.end(exchange.req.method === "HEAD" ? undefined : text);
}

export function answerEmpty(exchange: Exchange, status: number, headers: Record<string, string>): void {
  exchange.res.writeHead(status, { "content-length": "0", ...headers });
  exchange.res.end();
}

/** `{"errors":[{code,message,detail}]}`, and for 401 the challenge that says where a token is to be had (RFC 6750). */
export function answerRegistryError(exchange: Exchange, error: unknown, route: RegistryRoute | undefined): void {
  const { req, res } = exchange;
  if (res.headersSent) {
    res.destroy();
    return;
  }
  const known = toFlotillaError(error);
  const code = registryCodeOf(known);
  const { message } = describeError(error);
  const status = code === "UNSUPPORTED" ? 405 : HTTP_STATUS[known.code];
  if (status === 401) res.setHeader("www-authenticate", challenge(exchange, route));
  // The rest of a body that nobody wants must not be read to its end to keep a connection.
  if (!req.complete && req.method !== "GET" && req.method !== "HEAD") res.setHeader("connection", "close");
  const detail = known.details["detail"];
  answerRegistryJson(exchange, status, {
    body: {
      errors: [{ code: code ?? (status === 401 ? "UNAUTHORIZED" : "UNKNOWN"), message, ...(detail === undefined ? {} : { detail }) }],
    },
  });
}

function challenge({ origin, req }: Exchange, route: RegistryRoute | undefined): string {
  const parts = [`Bearer realm="${origin}/v2/token"`, `service="${REGISTRY_SERVICE}"`];
  if (route?.kind === "catalog") parts.push('scope="registry:catalog:*"');
  const operation = route === undefined ? undefined : operationOf(route, req.method ?? "GET");
  if (route !== undefined && operation !== undefined && "name" in route) {
    parts.push(`scope="repository:${route.name}:${operation === "push" ? "pull,push" : operation}"`);
  }
  if (req.headers.authorization !== undefined) parts.push(`error="${route?.kind === "base" ? "invalid_token" : "insufficient_scope"}"`);
  return parts.join(",");
}
