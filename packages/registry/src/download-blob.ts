import { FlotillaError } from "@flotilla/core";
import { hexOf, type Descriptor } from "@flotilla/image";
import { createHash } from "node:crypto";
import { readBody, readChunks } from "./body.ts";
import { digestOf } from "./digest-of.ts";
import type { HttpResponse } from "./http-client.ts";
import type { PartialBlob } from "./partial-blob.ts";
import type { PullProgress } from "./progress.ts";
import { pullError } from "./registry-error.ts";
import type { Repository } from "./repository.ts";
import { isRetryable, type Session } from "./session.ts";

export type BlobDownload = {
  blob: Pick<Descriptor, "digest" | "size">;
  partial: PartialBlob;
  onProgress: (progress: PullProgress) => void;
  signal: AbortSignal;
};

type State = { received: number };

/**
 * The bytes of a blob, in order, from its beginning: first those that an earlier attempt left in the partial file, then those
 * of the registry, which are also appended to the file. What goes wrong on the way is taken up where it stopped. The last
 * bytes are there before the blob is verified, so whoever consumes them (decompresses, extracts) keeps its result only when
 * the iteration ends without an error; then the partial file holds the whole, verified blob.
 * @throws FlotillaError `invalid` when the content has another digest or size: the partial file is emptied.
 */
export async function* downloadBlob(repository: Repository, download: BlobDownload): AsyncGenerator<Buffer, void> {
  const { blob, partial, onProgress } = download;
  const hash = createHash("sha256");
  const state: State = { received: 0 };
  const tell = (): void => onProgress({ status: "Downloading", digest: blob.digest, current: state.received, total: blob.size });
  try {
    for await (const chunk of partial.read()) {
      hash.update(chunk);
      state.received += chunk.length;
      yield chunk;
    }
    for await (const chunk of fetchRest(repository, download, state)) {
      // The disk works while the processor hashes. A failure is thrown below and must not be unhandled until then.
      const appending = partial.append(chunk);
      appending.catch(() => undefined);
      hash.update(chunk);
      await appending;
      state.received += chunk.length;
      tell();
      yield chunk;
    }
  } finally {
    // Also when the consumer leaves: the next attempt goes on from here.
    await partial.sync();
  }
  onProgress({ status: "Verifying Checksum", digest: blob.digest });
  if (hash.digest("hex") !== hexOf(blob.digest)) {
    await partial.reset();
    throw new FlotillaError("invalid", `filesystem layer verification failed for digest ${blob.digest}`);
  }
  onProgress({ status: "Download complete", digest: blob.digest });
}

/**
 * The bytes of a blob without a file of one's own: what breaks is taken up where it stopped while this runs. The last bytes come
 * before the whole is verified: what was made of them counts only when the iteration ends without an error.
 * @throws FlotillaError `invalid` when the content has another digest or size.
 */
export async function* streamBlob(
  repository: Repository,
  download: Omit<BlobDownload, "partial" | "onProgress">,
): AsyncGenerator<Buffer, void> {
  const hash = createHash("sha256");
  const state: State = { received: 0 };
  for await (const chunk of fetchRest(repository, { ...download, onProgress: () => undefined }, state)) {
    hash.update(chunk);
    state.received += chunk.length;
    yield chunk;
  }
  if (hash.digest("hex") !== hexOf(download.blob.digest))
    throw new FlotillaError("invalid", `blob verification failed for digest ${download.blob.digest}`);
}

/** A small blob, such as a configuration, verified. @throws FlotillaError `too_large`, `invalid`. */
export async function fetchBlob(
  repository: Repository,
  blob: Pick<Descriptor, "digest" | "size">,
  options: { maxBytes: number; signal: AbortSignal },
): Promise<Buffer> {
  if (blob.size > options.maxBytes)
    throw new FlotillaError(
      "too_large",
      `blob ${blob.digest} has ${blob.size} bytes, more than the ${options.maxBytes} expected of its kind`,
    );
  return repository.attempt((session) => {
    return session.retry(options.signal, async () => {
      const response = await open(repository, session, { blob, offset: 0, signal: options.signal });
      const bytes = await readBody(response, { maxBytes: blob.size, stallTimeoutMs: session.limits.stallTimeoutMs });
      if (digestOf(bytes) !== blob.digest) throw new FlotillaError("invalid", `blob verification failed for digest ${blob.digest}`);
      return bytes;
    });
  });
}

/** What is missing, over as many requests as it takes while there is progress. */
async function* fetchRest(repository: Repository, download: Omit<BlobDownload, "partial">, state: State): AsyncGenerator<Buffer, void> {
  const { blob, signal } = download;
  for (let failures = 0; state.received < blob.size;) {
    const before = state.received;
    try {
      yield* fetchFrom(repository, download, state.received);
      if (state.received < blob.size) throw new FlotillaError("unavailable", "unexpected EOF", { details: { isConnection: true } });
    } catch (error) {
      const { session } = repository;
      if (state.received > before) failures = 0;
      failures++;
      if (failures >= session.limits.maxAttempts || !isRetryable(error))
        throw pullError(error, { name: repository.name, full: repository.name, isAnonymous: session.isAnonymous });
      download.onProgress({ status: "Retrying", digest: blob.digest, attempt: failures });
      await session.pause(failures - 1, signal, error);
    }
  }
}

async function* fetchFrom(
  repository: Repository,
  { blob, signal }: Omit<BlobDownload, "partial">,
  offset: number,
): AsyncGenerator<Buffer, void> {
  const response = await repository.attempt((session) => open(repository, session, { blob, offset, signal }));
  let skip = response.status === 206 ? 0 : offset;
  let left = blob.size - offset;
  for await (const chunk of readChunks(response, repository.session.limits.stallTimeoutMs)) {
    // A registry that does not know ranges sends what is there already once more.
    const rest = chunk.subarray(Math.min(skip, chunk.length));
    skip -= chunk.length - rest.length;
    if (rest.length > left) throw wrongSize(blob);
    left -= rest.length;
    if (rest.length > 0) yield rest;
  }
}

type Opening = { blob: Pick<Descriptor, "digest" | "size">; offset: number; signal: AbortSignal };

/** Asks for a blob from an offset on and checks what the registry says about what it will send. */
async function open(repository: Repository, session: Session, { blob, offset, signal }: Opening): Promise<HttpResponse> {
  const range = offset === 0 ? {} : { range: `bytes=${offset}-${blob.size - 1}` };
  const response = await session.sendOnce({
    method: "GET",
    path: repository.pathOf(session, `blobs/${blob.digest}`),
    // Digests are of the bytes as they are stored: nothing on the way may compress them.
    headers: { "accept-encoding": "identity", ...range },
    accept: [200, 206],
    scopes: [repository.scope],
    signal,
  });
  const isPart = response.status === 206;
  const isRight = isPart
    ? response.headers["content-range"] === `bytes ${offset}-${blob.size - 1}/${blob.size}`
    : hasLength(response, blob.size);
  if (isRight) return response;
  response.body.destroy();
  throw wrongSize(blob);
}

function hasLength(response: HttpResponse, size: number): boolean {
  const length = response.headers["content-length"];
  return length === undefined || Number(length) === size;
}

function wrongSize(blob: Pick<Descriptor, "digest" | "size">): FlotillaError {
  return new FlotillaError("invalid", `blob ${blob.digest} has another size than the ${blob.size} bytes of its manifest`);
}
