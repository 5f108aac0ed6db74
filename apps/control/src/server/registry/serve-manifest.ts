import { FlotillaError } from "@flotilla/core";
import {
  authorizeRegistry,
  deleteManifest,
  findCached,
  getManifest,
  known,
  MAX_MANIFEST_BYTES,
  type PulledManifest,
  pullManifest,
  putManifest,
  repositoryFor,
} from "@flotilla/services";
import { answerEmpty, type CallerExchange } from "./exchange.ts";
import type { ManifestReference } from "./parse-route.ts";
import { isUnchanged } from "./serve-blob.ts";

export type ManifestRoute = { name: string; reference: ManifestReference };

/** `GET`, `HEAD`, `PUT` and `DELETE` of `/v2/<name>/manifests/<reference>`. */
export async function serveManifest(exchange: CallerExchange, route: ManifestRoute): Promise<void> {
  const { services, req, caller } = exchange;
  if (req.method === "PUT") return receiveManifest(exchange, route);
  if (req.method === "DELETE") {
    const repository = await repositoryFor(services, caller, { operation: "delete", path: route.name });
    await deleteManifest(services, caller.actor, { repositoryId: repository.id, reference: route.reference });
    return answerEmpty(exchange, 202, {});
  }
  const { manifest, isStale } = await findManifest(exchange, route);
  // RFC 9111 5.5: the upstream could not be asked whether the tag still leads there.
  if (isStale) exchange.res.setHeader("warning", '110 - "Response is Stale"');
  const { digest, mediaType, content } = manifest;
  const headers = { "docker-content-digest": digest, etag: `"${digest}"`, "content-type": mediaType };
  if (isUnchanged(req.headers["if-none-match"], digest)) exchange.res.writeHead(304, headers).end();
  else exchange.res.writeHead(200, { ...headers, "content-length": content.length }).end(req.method === "HEAD" ? undefined : content);
}

/** @throws MANIFEST_UNKNOWN, NAME_UNKNOWN; what an upstream has is fetched from there. */
async function findManifest({ services, caller }: CallerExchange, { name, reference }: ManifestRoute): Promise<PulledManifest> {
  const found = await authorizeRegistry(services, caller, { operation: "pull", path: name });
  const cached = await findCached(services, name);
  if (cached !== undefined) return pullManifest(services, cached, "tag" in reference ? reference.tag : reference.digest);
  return { manifest: await getManifest(services, known(found).id, reference), isStale: false };
}

async function receiveManifest(exchange: CallerExchange, { name, reference }: ManifestRoute): Promise<void> {
  const { services, req, caller } = exchange;
  const repository = await repositoryFor(services, caller, { operation: "push", path: name });
  const content = await readContent(exchange);
  const { digest, subject } = await putManifest(services, caller.actor, {
    repositoryId: repository.id,
    reference,
    content,
    contentType: req.headers["content-type"],
  });
  answerEmpty(exchange, 201, {
    location: `/v2/${name}/manifests/${digest}`,
    "docker-content-digest": digest,
    ...(subject === null ? {} : { "oci-subject": subject }),
  });
}

async function readContent({ req }: CallerExchange): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of req.iterator({ destroyOnReturn: false })) {
    const bytes = chunk as Buffer;
    size += bytes.length;
    if (size > MAX_MANIFEST_BYTES) {
      throw new FlotillaError("too_large", `a manifest may have ${MAX_MANIFEST_BYTES} bytes`, {
        details: { registryCode: "SIZE_INVALID", detail: {} },
      });
    }
    chunks.push(bytes);
  }
  return new Uint8Array(Buffer.concat(chunks));
}
