import type { ServerResponse } from "node:http";
import { FlotillaError, HTTP_STATUS, toFlotillaError } from "@flotilla/core";
import { asServiceError } from "@flotilla/services";

export function answerJson(res: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  res.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(text), "cache-control": "no-store" });
  res.end(text);
}

export function answerText(res: ServerResponse, status: number, text: string): void {
  res.writeHead(status, {
    "content-type": "text/plain; charset=utf-8",
    "content-length": Buffer.byteLength(text),
    "cache-control": "no-store",
  });
  res.end(text);
}

/** `{"message": …}`, as Docker words errors. Messages of unexpected errors stay inside. */
export function answerError(res: ServerResponse, error: unknown): void {
  if (res.headersSent) {
    res.destroy();
    return;
  }
  const known = describeError(error);
  answerJson(res, known.status, { message: known.message });
}

export function describeError(error: unknown): { status: number; message: string } {
  const found = asServiceError(error);
  const known = toFlotillaError(found);
  const isForPeople = found instanceof FlotillaError && (known.code !== "internal" || known.details["fromEngine"] === true);
  return {
    status: HTTP_STATUS[known.code],
    message: isForPeople ? known.message : "something went wrong in the control plane; its log says what",
  };
}
