// The least that a client of a registry can do, so that what is measured is the server: pushes files as blobs in the way
// that docker does (ask, begin, one PATCH, PUT), pulls them and drops the bytes, three at a time.
import { createReadStream } from "node:fs";
import { Agent, type IncomingMessage, request } from "node:http";

export type Blob = { path: string; digest: string; size: number };
export type Server = { url: string; repository: string; token: string | undefined };

const PARALLEL = 3;
const MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json";

export class RawClient implements Disposable {
  readonly #server: Server;
  readonly #agent = new Agent({ keepAlive: true });

  constructor(server: Server) {
    this.#server = server;
  }

  /** Pushes an image whose first blob is its configuration. */
  async push(blobs: readonly Blob[], tag: string): Promise<void> {
    await inParallel(blobs, (blob) => this.#pushBlob(blob));
    const [config, ...layers] = blobs.map(({ digest, size }) => ({ mediaType: "application/octet-stream", digest, size }));
    const manifest = JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST_TYPE, config, layers });
    await this.#call("PUT", `manifests/${tag}`, { accept: 201, type: MANIFEST_TYPE, text: manifest });
  }

  async pull(blobs: readonly Blob[], tag: string): Promise<void> {
    await this.#call("GET", `manifests/${tag}`, { accept: 200 });
    await inParallel(blobs, async ({ digest, size }) => {
      const { bytes } = await this.#call("GET", `blobs/${digest}`, { accept: 200 });
      if (bytes !== size) throw new Error(`${digest} has ${bytes} bytes, not ${size}`);
    });
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }

  async #pushBlob(blob: Blob): Promise<void> {
    await this.#call("HEAD", `blobs/${blob.digest}`, { accept: 404 });
    const begun = await this.#call("POST", "blobs/uploads/", { accept: 202 });
    const patched = await this.#call("PATCH", begun.location, { accept: 202, file: blob });
    const end = new URL(patched.location, this.#server.url);
    end.searchParams.set("digest", blob.digest);
    await this.#call("PUT", end.href, { accept: 201 });
  }

  /** `where` is relative to the repository, or what a Location header said. */
  #call(
    method: string,
    where: string,
    what: { accept: number; type?: string; text?: string; file?: Blob },
  ): Promise<{ bytes: number; location: string }> {
    const { url, repository, token } = this.#server;
    const target = /^(?:\/|https?:)/.test(where) ? new URL(where, url) : new URL(`/v2/${repository}/${where}`, url);
    const headers = {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      accept: `${MANIFEST_TYPE}, */*`,
      "content-type": what.type ?? "application/octet-stream",
      ...(method === "GET" || method === "HEAD" ? {} : { "content-length": what.file?.size ?? Buffer.byteLength(what.text ?? "") }),
    };
    return new Promise((resolve, reject) => {
      const outgoing = request(target, { method, headers, agent: this.#agent }, (response) => {
        drain(response).then((bytes) => {
          if (response.statusCode === what.accept) resolve({ bytes, location: response.headers.location ?? "" });
          else reject(new Error(`${method} ${target.pathname}: ${response.statusCode}, expected ${what.accept}`));
        }, reject);
      });
      outgoing.on("error", reject);
      if (what.file === undefined) outgoing.end(what.text);
      else
        createReadStream(what.file.path, { highWaterMark: 256 * 1024 })
          .on("error", reject)
          .pipe(outgoing);
    });
  }
}

function drain(response: IncomingMessage): Promise<number> {
  return new Promise((resolve, reject) => {
    let bytes = 0;
    response.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
    });
    response.on("end", () => resolve(bytes));
    response.on("error", reject);
  });
}

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  await Promise.all(
    Array.from({ length: PARALLEL }, async () => {
      for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
    }),
  );
}
