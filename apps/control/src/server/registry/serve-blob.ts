import type { ServerResponse } from "node:http";
import { FlotillaError } from "@flotilla/core";
import type { Digest } from "@flotilla/image";
import {
  authorizeRegistry,
  type ByteRange,
  deleteBlobLink,
  findBlob,
  findCached,
  known,
  pullBlob,
  registryError,
  repositoryFor,
} from "@flotilla/services";
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
  return sendBlob(exchange, await findSource(exchange, route));
}

/** A blob and how its bytes come: from storage, or from an upstream on the way there. */
type BlobSource = { digest: Digest; size: number; send(range: ByteRange, sink: (piece: Uint8Array) => Promise<void>): Promise<void> };

/** @throws BLOB_UNKNOWN, NAME_UNKNOWN */
async function findSource({ services, caller }: CallerExchange, { name, digest }: BlobRoute): Promise<BlobSource> {
  const found = await authorizeRegistry(services, caller, { operation: "pull", path: name });
  const cached = await findCached(services, name);
  const pulled =
    cached === undefined ? { blob: await findBlob(services, known(found).id, digest) } : await pullBlob(services, cached, digest);
  if ("blob" in pulled) {
    const { size, storageKey } = pulled.blob;
    return { digest, size, send: (range, sink) => services.registry.storage.send(storageKey, range, sink) };
  }
  return { digest, size: pulled.size, send: async (range, sink) => (await pulled.begin()).send(range, sink) };
}

/** Streams a blob or a range of it; the bytes go from the file to the socket in pieces, held back by the socket. */
async function sendBlob(exchange: CallerExchange, blob: BlobSource): Promise<void> {
  const { req, res } = exchange;
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
  await blob.send(range ?? { start: 0, end: size - 1 }, (piece) => {
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
