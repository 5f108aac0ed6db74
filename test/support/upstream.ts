import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { digestOf, OCI_INDEX, OCI_MANIFEST } from "./registry-client.ts";

type Content = { bytes: Buffer; type: string };
export type UpstreamImage = { digest: string; layer: string; config: string; layerBytes: Buffer };
/** Answers a request in its own way; true when it did. */
export type Misbehaviour = (req: IncomingMessage, res: ServerResponse, content: Content | undefined) => boolean;

/** A registry in this process that does what a test says: also what no registry should. */
export class TestUpstream implements AsyncDisposable {
  readonly #server: Server;
  readonly #content = new Map<string, Content>();
  /** `METHOD /path` of what was asked, in order. */
  readonly asked: string[] = [];
  readonly authorizations: string[] = [];
  misbehave: Misbehaviour | undefined;

  private constructor() {
    this.#server = createServer((req, res) => this.#serve(req, res));
  }

  static async start(): Promise<TestUpstream> {
    const upstream = new TestUpstream();
    await once(upstream.#server.listen(0, "127.0.0.1"), "listening");
    return upstream;
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get url(): string {
    return `http://${this.host}`;
  }

  /** Puts an image there, as a push would. */
  addImage(name: string, tag: string, layerBytes: Buffer = randomBytes(3_000)): UpstreamImage {
    const layer = this.#put(`${name}/blobs`, layerBytes, "application/octet-stream");
    const configBytes = Buffer.from(
      JSON.stringify({ architecture: "amd64", os: "linux", config: {}, rootfs: { type: "layers", diff_ids: [layer] } }),
    );
    const config = this.#put(`${name}/blobs`, configBytes, "application/octet-stream");
    const manifest = {
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      config: { mediaType: "application/vnd.oci.image.config.v1+json", digest: config, size: configBytes.length },
      layers: [{ mediaType: "application/vnd.oci.image.layer.v1.tar", digest: layer, size: layerBytes.length }],
    };
    const digest = this.#putManifest(name, tag, manifest, OCI_MANIFEST);
    return { digest, layer, config, layerBytes };
  }

  /** An index of images that are there. */
  addIndex(name: string, tag: string, digests: readonly string[]): string {
    const manifests = digests.map((digest) => ({
      mediaType: OCI_MANIFEST,
      digest,
      size: this.#content.get(`${name}/manifests/${digest}`)?.bytes.length ?? 0,
    }));
    return this.#putManifest(name, tag, { schemaVersion: 2, mediaType: OCI_INDEX, manifests }, OCI_INDEX);
  }

  removeTag(name: string, tag: string): void {
    this.#content.delete(`${name}/manifests/${tag}`);
  }

  /** Ends it, as an outage would; `start` another one for what comes after. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #put(below: string, bytes: Buffer, type: string): string {
    const digest = digestOf(bytes);
    this.#content.set(`${below}/${digest}`, { bytes, type });
    return digest;
  }

  #putManifest(name: string, tag: string, manifest: unknown, type: string): string {
    const bytes = Buffer.from(JSON.stringify(manifest));
    const digest = this.#put(`${name}/manifests`, bytes, type);
    this.#content.set(`${name}/manifests/${tag}`, { bytes, type });
    return digest;
  }

  #serve(req: IncomingMessage, res: ServerResponse): void {
    const path = req.url ?? "";
    this.asked.push(`${req.method ?? ""} ${path}`);
    if (req.headers.authorization !== undefined) this.authorizations.push(req.headers.authorization);
    const content = this.#content.get(path.replace(/^\/v2\//, ""));
    if (this.misbehave?.(req, res, content) === true) return;
    if (path === "/v2/") return void res.writeHead(200).end("{}");
    if (content === undefined)
      return void res
        .writeHead(404, { "content-type": "application/json" })
        .end('{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}');
    const { bytes, type } = content;
    const start = Number(/^bytes=(\d+)-/.exec(req.headers.range ?? "")?.[1] ?? 0);
    const range = start > 0 ? { "content-range": `bytes ${start}-${bytes.length - 1}/${bytes.length}` } : {};
    const headers = { "content-type": type, "content-length": bytes.length - start, "docker-content-digest": digestOf(bytes), ...range };
    res.writeHead(start > 0 ? 206 : 200, headers).end(req.method === "HEAD" ? undefined : bytes.subarray(start));
  }
}
