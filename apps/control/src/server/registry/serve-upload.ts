import type { RegistryRepository } from "@flotilla/db";
import type { Digest } from "@flotilla/image";
import {
  appendToUpload,
  beginUpload,
  cancelUpload,
  commitUpload,
  findUpload,
  isRepositoryPath,
  locateRepository,
  mayDo,
  mountBlob,
  ownerOf,
  registryError,
  repositoryFor,
  type UploadBody,
  uploadProgress,
  type UploadRef,
  withUpload,
} from "@flotilla/services";
import { answerEmpty, type CallerExchange } from "./exchange.ts";
import { toDigest } from "./parse-route.ts";
import { takeBody } from "./take-body.ts";

/** `POST /v2/<name>/blobs/uploads/`: begins an upload, mounts a blob of another repository, or takes a whole blob at once. */
export async function serveUploads(exchange: CallerExchange, name: string): Promise<void> {
  const { services, caller, query } = exchange;
  const repository = await repositoryFor(services, caller, { operation: "push", path: name });
  const owner = ownerOf(caller.actor);
  const mount = query.get("mount");
  if (mount !== null && (await tryMount(exchange, repository, toDigest(mount)))) return;
  const id = await beginUpload(services, { repository, owner });
  const whole = query.get("digest");
  // A client that asked for a mount sends no body with it and begins an upload now.
  if (whole !== null && mount === null) return finishUpload(exchange, { repository, owner, id }, toDigest(whole));
  answerProgress(exchange, { status: 202, name, id, offset: 0 });
}

/**
 * A mount needs the right to pull where it comes from, by the caller and by the token. Where it does not work the answer is
 * that of a new upload, so that nothing is told of repositories that the caller may not see.
 */
async function tryMount(exchange: CallerExchange, repository: RegistryRepository, digest: Digest): Promise<boolean> {
  const { services, caller, query } = exchange;
  const from = query.get("from");
  if (from === null || !isRepositoryPath(from)) return false;
  const source = await locateRepository(services, from);
  if (source.repository === null || !mayDo(caller, "pull", source.object)) return false;
  if (!(await mountBlob(services, { fromId: source.repository.id, to: repository, digest }))) return false;
  answerCreated(exchange, repository.path, digest);
  return true;
}

/** `GET`, `PATCH`, `PUT` and `DELETE` of `/v2/<name>/blobs/uploads/<id>`, for the one who began it. */
export async function serveUpload(exchange: CallerExchange, route: { name: string; id: string }): Promise<void> {
  const { services, req, caller, query } = exchange;
  const repository = await repositoryFor(services, caller, { operation: "push", path: route.name });
  const ref: UploadRef = { repository, owner: ownerOf(caller.actor), id: route.id };
  if (req.method === "DELETE") {
    await cancelUpload(services, ref);
    return answerEmpty(exchange, 204, {});
  }
  if (req.method === "PATCH") {
    const offset = await withUpload(services, ref, (held) => appendToUpload(services, held, bodyOf(exchange))).catch((error: unknown) =>
      tellOffset(exchange, ref, error),
    );
    return answerProgress(exchange, { status: 202, ...route, offset });
  }
  if (req.method === "PUT") return finishUpload(exchange, ref, toDigest(query.get("digest") ?? ""));
  answerProgress(exchange, { status: 204, ...route, offset: await uploadProgress(services, ref) });
}

async function finishUpload(exchange: CallerExchange, ref: UploadRef, digest: Digest): Promise<void> {
  const { services, req } = exchange;
  await withUpload(services, ref, async (held) => {
    const body = bodyOf(exchange);
    if (hasBody(req.headers) || body.range !== undefined) await appendToUpload(services, held, body);
    await commitUpload(services, held, digest);
  }).catch((error: unknown) => tellOffset(exchange, ref, error));
  answerCreated(exchange, ref.repository.path, digest);
}

/** 416 says where to go on, as the specification asks. */
async function tellOffset({ services, res }: CallerExchange, ref: UploadRef, error: unknown): Promise<never> {
  if (error instanceof Error && "code" in error && error.code === "range") {
    const row = await findUpload(services, ref);
    setProgress(res, { name: ref.repository.path, id: ref.id, offset: Number(row.offset) });
  }
  throw error;
}

function hasBody(headers: { "content-length"?: string | undefined; "transfer-encoding"?: string | undefined }): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? "0") > 0;
}

function bodyOf({ req }: CallerExchange): UploadBody {
  const length = req.headers["content-length"];
  return {
    bytes: takeBody(req),
    length: length === undefined ? undefined : Number(length),
    range: parseContentRange(req.headers["content-range"]),
  };
}

/** `<start>-<end>`, as the distribution specification writes it; RFC 9110's `bytes start-end/size` is understood too. */
export function parseContentRange(header: string | undefined): { start: number; end: number } | undefined {
  if (header === undefined) return undefined;
  const match = /^(?:bytes[ =])?(\d{1,15})-(\d{1,15})(?:\/(?:\d{1,15}|\*))?$/.exec(header.trim());
  const start = Number(match?.[1]);
  const end = Number(match?.[2]);
  if (match === null || end < start)
    throw registryError("BLOB_UPLOAD_INVALID", `Content-Range ${JSON.stringify(header)} is not <start>-<end>`);
  return { start, end };
}

type Progress = { name: string; id: string; offset: number };

function setProgress(res: CallerExchange["res"], { name, id, offset }: Progress): void {
  res.setHeader("location", `/v2/${name}/blobs/uploads/${id}`);
  // An empty upload is `0-0` too: the reference implementation's answer, which clients know.
  res.setHeader("range", `0-${Math.max(0, offset - 1)}`);
  res.setHeader("docker-upload-uuid", id);
}

function answerProgress(exchange: CallerExchange, progress: Progress & { status: number }): void {
  setProgress(exchange.res, progress);
  answerEmpty(exchange, progress.status, {});
}

function answerCreated(exchange: CallerExchange, name: string, digest: Digest): void {
  answerEmpty(exchange, 201, { location: `/v2/${name}/blobs/${digest}`, "docker-content-digest": digest });
}
