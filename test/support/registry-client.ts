import { createHash, randomBytes } from "node:crypto";
import type { TestControl } from "./control.ts";

export const OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json";
export const OCI_INDEX = "application/vnd.oci.image.index.v1+json";
const OCI_CONFIG = "application/vnd.oci.image.config.v1+json";
const OCI_LAYER = "application/vnd.oci.image.layer.v1.tar";

export type RegistryClient = {
  url: string;
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** Pushes a blob in one request and returns its digest. */
  pushBlob(name: string, bytes: Uint8Array): Promise<string>;
  /** Pushes an image of one random layer (or the given one); returns the manifest's digest and its parts. */
  pushImage(
    name: string,
    reference?: string,
    options?: { layer?: Uint8Array; subject?: unknown; artifactType?: string },
  ): Promise<PushedImage>;
};

export type PushedImage = { digest: string; size: number; layer: string; config: string; manifest: string };

export function digestOf(bytes: Uint8Array | string): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

/** Asks for a token, as the docker command does. */
export async function fetchToken(
  control: TestControl,
  scopes: readonly string[],
  basic?: { username: string; password: string },
): Promise<Response> {
  const query = new URLSearchParams({ service: "flotilla-registry" });
  for (const scope of scopes) query.append("scope", scope);
  const headers =
    basic === undefined ? {} : { authorization: `Basic ${Buffer.from(`${basic.username}:${basic.password}`).toString("base64")}` };
  return fetch(`${control.url}/v2/token?${query.toString()}`, { headers });
}

export async function tokenFor(
  control: TestControl,
  scopes: readonly string[],
  basic?: { username: string; password: string },
): Promise<string> {
  const response = await fetchToken(control, scopes, basic);
  if (response.status !== 200) throw new Error(`token: ${response.status} ${await response.text()}`);
  return ((await response.json()) as { token: string }).token;
}

/** A client with one bearer token, or none. */
export function registryClient(control: TestControl, token: string | undefined): RegistryClient {
  const auth: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const call = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`${control.url}${path}`, {
      redirect: "manual",
      ...init,
      headers: { ...auth, ...(init.headers as Record<string, string> | undefined) },
    });
  const pushBlob = async (name: string, bytes: Uint8Array): Promise<string> => {
    const digest = digestOf(bytes);
    const begun = await call(`/v2/${name}/blobs/uploads/`, { method: "POST" });
    if (begun.status !== 202) throw new Error(`begin upload: ${begun.status} ${await begun.text()}`);
    const put = await call(`${begun.headers.get("location") ?? ""}?digest=${digest}`, {
      method: "PUT",
      body: bytes as Uint8Array<ArrayBuffer>,
    });
    if (put.status !== 201) throw new Error(`finish upload: ${put.status} ${await put.text()}`);
    return digest;
  };
  return {
    url: control.url,
    fetch: call,
    pushBlob,
    pushImage: async (name, reference, options = {}) => {
      const layerBytes = options.layer ?? randomBytes(5_000);
      const layer = await pushBlob(name, layerBytes);
      const configBytes = Buffer.from(
        JSON.stringify({
          architecture: "amd64",
          os: "linux",
          config: { Cmd: ["/bin/true"] },
          rootfs: { type: "layers", diff_ids: [layer] },
          history: [{ created: "2026-01-01T00:00:00Z", created_by: "ADD file:abc in /" }],
        }),
      );
      const config = await pushBlob(name, configBytes);
      const manifest = JSON.stringify({
        schemaVersion: 2,
        mediaType: OCI_MANIFEST,
        ...(options.artifactType === undefined ? {} : { artifactType: options.artifactType }),
        config: { mediaType: OCI_CONFIG, digest: config, size: configBytes.length },
        layers: [{ mediaType: OCI_LAYER, digest: layer, size: layerBytes.length }],
        ...(options.subject === undefined ? {} : { subject: options.subject }),
      });
      const digest = digestOf(manifest);
      const put = await call(`/v2/${name}/manifests/${reference ?? digest}`, {
        method: "PUT",
        headers: { "content-type": OCI_MANIFEST },
        body: manifest,
      });
      if (put.status !== 201) throw Object.assign(new Error(`put manifest: ${put.status} ${await put.text()}`), { status: put.status });
      return { digest, size: Buffer.byteLength(manifest), layer, config, manifest };
    },
  };
}

/** `{code, message}` of the first error of an answer. */
export async function errorOf(response: Response): Promise<{ status: number; code: string; message: string }> {
  const body = (await response.json()) as { errors: { code: string; message: string }[] };
  return { status: response.status, code: body.errors[0]?.code ?? "", message: body.errors[0]?.message ?? "" };
}
