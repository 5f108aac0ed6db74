import type { ServerResponse } from "node:http";
import { FlotillaError } from "@flotilla/core";
import type { Digest } from "@flotilla/image";
import { type BlobFacts, type ByteRange, deleteBlobLink, findBlob, registryError, repositoryFor } from "@flotilla/services";
import { answerEmpty, type CallerExchange } from "./exchange.ts";

export type BlobRoute = { name: string; digest: Digest };

/** `GET`, `HEAD` and `DELETE` of `/v2/<name>/blobs/<digest>`. */
export async function serveBlob(exchange: CallerExchange, route: BlobRoute): Promise<void> {
  const { services, req, caller } = exchange;
  if (req.method === "DELETE") {
    const repository = await repositoryFor(services, caller, { operation: "delete", path: route.name });
    await deleteBlobLink(services, repository.id, route.digest);
    return answerEmpty(exchange, 202, {});
  }
  const repository = await repositoryFor(services, caller, { operation: "pull", path: route.name });
  return sendBlob(exchange, await findBlob(services, repository.id, route.digest));
}

/** Streams a blob or a range of it; the bytes go from the file to the socket in pieces, held back by the socket. */
async function sendBlob(exchange: CallerExchange, blob: BlobFacts): Promise<void> {
  const { services, req, res } = exchange;
  const { digest, size } = blob;
  const headers = {
    "docker-content-digest": digest,
    etag: `"${digest}"`,
    "accept-ranges": "bytes",
    "content-type": "application/octet-stream",
    // What a digest names never changes; who may read it does.
    "cache-control": "private, max-age=31536000",
  };
  if (isUnchanged(req.headers["if-none-match"], digest)) {
    res.writeHead(304, { etag: headers.etag, "docker-content-digest": digest });
    res.end();
    return;
  }
  const range =
    req.headers["if-range"] === undefined || req.headers["if-range"] === headers.etag ? parseRange(req.headers.range, size) : undefined;
  if (range === "unsatisfiable") {
    res.setHeader("content-range", `bytes */${size}`);
    throw registryError("RANGE_INVALID", `the blob has ${size} bytes`);
  }
  const length = range === undefined ? size : range.end - range.start + 1;
  const more = range === undefined ? {} : { "content-range": `bytes ${range.start}-${range.end}/${size}` };
  const status = range === undefined ? 200 : 206;
  if (req.method === "HEAD" || length === 0) {
    res.writeHead(status, { ...headers, ...more, "content-length": length });
    res.end();
    return;
  }
  const head = { ...headers, ...more, "content-length": length };
  await services.registry.storage.send(blob.storageKey, range ?? { start: 0, end: size - 1 }, (piece) => {
    if (!res.headersSent) res.writeHead(status, head);
    return writePiece(res, piece);
  });
  res.end();
}

/** Resolves when the kernel has the bytes; rejects when the client is gone. */
function writePiece(res: ServerResponse, piece: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    const onClose = (): void => reject(new FlotillaError("gone", "the client went away"));
    if (res.destroyed) return onClose();
    res.once("close", onClose);
    res.write(piece, (error) => {
      res.off("close", onClose);
      if (error === null || error === undefined) resolve();
      else reject(error);
    });
  });
}

export function isUnchanged(ifNoneMatch: string | undefined, digest: string): boolean {
  return ifNoneMatch?.split(",").some((tag) => tag.trim().replace(/^W\//, "").replaceAll('"', "") === digest) ?? false;
}

/** One range of RFC 9110; several of them, or another unit, are answered with the whole. */
export function parseRange(header: string | undefined, size: number): ByteRange | "unsatisfiable" | undefined {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.trim() ?? "");
  if (match === null) return undefined;
  const [, first = "", last = ""] = match;
  if (first === "") {
    if (last === "") return undefined;
    const tail = Math.min(Number(last), size);
    return tail === 0 ? "unsatisfiable" : { start: size - tail, end: size - 1 };
  }
  const start = Number(first);
  const end = last === "" ? size - 1 : Math.min(Number(last), size - 1);
  if (last !== "" && Number(last) < start) return undefined;
  return start >= size ? "unsatisfiable" : { start, end };
}
