// Upload of one blob (distribution specification, "Pushing Blobs"): asked for first, then mounted from a repository that has
// it, then sent in one PATCH of which the registry tells after a failure how much it kept, and closed with its digest.
import { FlotillaError, isFlotillaError } from "@flotilla/core";
import type { Descriptor } from "@flotilla/image";
import { discardBody } from "./body.ts";
import type { HttpResponse } from "./http-client.ts";
import type { PushProgress } from "./progress.ts";
import type { Repository } from "./repository.ts";
import { isRetryable, locationOf, type Session, type SessionRequest } from "./session.ts";

export type BlobUpload = {
  blob: Pick<Descriptor, "digest" | "size">;
  /** The blob's bytes from an offset on; called again when an upload is taken up. */
  open: (offset: number) => AsyncIterable<Uint8Array>;
  /** Paths of repositories of the same registry that may have the blob. */
  mountFrom: readonly string[];
  onProgress: (progress: PushProgress) => void;
  signal: AbortSignal;
};

type Opened = { location: URL };

/** @returns what was necessary. @throws FlotillaError. */
export async function pushBlob(repository: Repository, upload: BlobUpload): Promise<"exists" | "mounted" | "pushed"> {
  const { digest } = upload.blob;
  return repository.attempt(async (session) => {
    const tools = new Uploader(repository, session, upload);
    if (await tools.exists()) {
      upload.onProgress({ status: "Layer already exists", digest });
      return "exists";
    }
    let opened: Opened | undefined;
    for (const from of upload.mountFrom) {
      const result = await tools.mount(from);
      if (result === "mounted") {
        upload.onProgress({ status: "Mounted from", digest, repository: from });
        return "mounted";
      }
      // A registry that does not mount has begun an upload instead, which is used.
      opened = result ?? opened;
      if (opened !== undefined) break;
    }
    await tools.transfer(opened);
    upload.onProgress({ status: "Pushed", digest });
    return "pushed";
  });
}

class Uploader {
  readonly #repository: Repository;
  readonly #session: Session;
  readonly #upload: BlobUpload;

  constructor(repository: Repository, session: Session, upload: BlobUpload) {
    this.#repository = repository;
    this.#session = session;
    this.#upload = upload;
  }

  async exists(): Promise<boolean> {
    const response = await this.#session.send(this.#request("HEAD", `blobs/${this.#upload.blob.digest}`, { accept: [200, 404] }));
    await discardBody(response);
    return response.status === 200;
  }

  /** Undefined when the registry would not hear of it. */
  async mount(from: string): Promise<"mounted" | Opened | undefined> {
    const query = new URLSearchParams({ mount: this.#upload.blob.digest, from });
    const scopes = [this.#repository.scope, `repository:${from}:pull`];
    try {
      const response = await this.#session.send({
        ...this.#request("POST", `blobs/uploads/?${query.toString()}`, { accept: [201, 202] }),
        scopes,
      });
      await discardBody(response);
      return response.status === 201 ? "mounted" : { location: locationOf(response) };
    } catch (error) {
      // No right to the other repository, or nothing there: the blob is uploaded.
      if (isFlotillaError(error) && ["forbidden", "not_found", "unauthenticated", "invalid"].includes(error.code)) return undefined;
      throw error;
    }
  }

  /** Sends the blob, taking up an upload that was interrupted, as long as there is progress. */
  async transfer(opened: Opened | undefined): Promise<void> {
    const { blob, signal, onProgress } = this.#upload;
    let location = opened?.location;
    let offset = 0;
    for (let failures = 0; ;) {
      const before = offset;
      try {
        if (location === undefined) {
          location = await this.#begin();
          offset = 0;
        } else if (failures > 0) {
          ({ location, offset } = await this.#status(location));
        }
        if (offset > before) failures = 0;
        if (offset < blob.size) ({ location } = await this.#patch(location, offset));
        return await this.#close(location);
      } catch (error) {
        // An upload that the registry has forgotten, or that went out of step, is begun anew.
        const isLost = isFlotillaError(error, "not_found") || isFlotillaError(error, "range");
        if (isLost) location = undefined;
        // It may have been closed, and only the answer was lost.
        if (isLost && (await this.exists())) return;
        failures++;
        if (failures >= this.#session.limits.maxAttempts || !(isLost || isRetryable(error))) throw error;
        onProgress({ status: "Retrying", digest: blob.digest, attempt: failures });
        await this.#session.pause(failures - 1, signal, error);
      }
    }
  }

  async #begin(): Promise<URL> {
    const response = await this.#session.send(
      this.#request("POST", "blobs/uploads/", { accept: [202], headers: { "content-length": "0" } }),
    );
    await discardBody(response);
    return locationOf(response);
  }

  /** How much of an interrupted upload the registry has. */
  async #status(location: URL): Promise<{ location: URL; offset: number }> {
    const response = await this.#session.send(this.#request("GET", location, { accept: [204, 202] }));
    await discardBody(response);
    const [, last] = /^(?:bytes=)?0-(\d{1,15})$/.exec(response.headers.range ?? "") ?? [];
    // `0-0` says nothing or one byte: beginning from the first is right for both only in a new upload.
    if (last === undefined || last === "0") throw new FlotillaError("range", `upload of ${this.#upload.blob.digest} cannot be taken up`);
    const next = response.headers.location === undefined ? location : locationOf(response);
    return { location: next, offset: Math.min(Number(last) + 1, this.#upload.blob.size) };
  }

  async #patch(location: URL, offset: number): Promise<{ location: URL }> {
    const { blob, open, onProgress } = this.#upload;
    const headers = {
      "content-type": "application/octet-stream",
      "content-length": String(blob.size - offset),
      "content-range": `${offset}-${blob.size - 1}`,
    };
    const body = (): AsyncIterable<Uint8Array> => {
      return counted(open(offset), (sent) =>
        onProgress({ status: "Pushing", digest: blob.digest, current: offset + sent, total: blob.size }),
      );
    };
    const response = await this.#session.sendOnce(this.#request("PATCH", location, { headers, body, accept: [202] }));
    await discardBody(response);
    return { location: locationOf(response) };
  }

  async #close(location: URL): Promise<void> {
    const url = new URL(location);
    url.searchParams.set("digest", this.#upload.blob.digest);
    const headers = { "content-type": "application/octet-stream", "content-length": "0" };
    const response: HttpResponse = await this.#session.sendOnce(this.#request("PUT", url, { headers, accept: [201] }));
    await discardBody(response);
  }

  #request(
    method: SessionRequest["method"],
    path: string | URL,
    rest: Pick<SessionRequest, "accept"> & Partial<SessionRequest>,
  ): SessionRequest {
    const where = typeof path === "string" ? this.#repository.pathOf(this.#session, path) : path;
    return { method, path: where, scopes: [this.#repository.scope], signal: this.#upload.signal, ...rest };
  }
}

async function* counted(chunks: AsyncIterable<Uint8Array>, tell: (sent: number) => void): AsyncGenerator<Uint8Array, void> {
  let sent = 0;
  for await (const chunk of chunks) {
    yield chunk;
    sent += chunk.length;
    tell(sent);
  }
}
