// ADD URL and remote contexts. Whoever writes a Dockerfile must not reach what only this host can reach: every address
// that a name has is checked, and the address that was checked is the one that is connected to, at each redirect again.
import { createHash } from "node:crypto";
import { lookup as dnsLookup, type LookupAddress } from "node:dns";
import { createWriteStream, chmodSync, mkdirSync, utimesSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import { join, posix } from "node:path";
import { pipeline } from "node:stream/promises";
import { FlotillaError } from "@flotilla/core";
import { http } from "@flotilla/engine-api/node-http";
import { isPublicAddress } from "@flotilla/registry";
import type { BuildImages } from "../storage/build-images.ts";

type UrlPlace = { deps: { config: { allowsPrivateUrls?: boolean | undefined } }; signal: AbortSignal };

export type FetchPlace = UrlPlace & { deps: { images: Pick<BuildImages, "scratch"> } };

/** A file that was fetched, alone in a directory of its own. */
export type FetchedFile = { directory: string; name: string; digest: string; discard: () => void };

const MAX_REDIRECTS = 5;
const ANSWER_TIMEOUT_MS = 30_000;
const IDLE_TIMEOUT_MS = 60_000;

/** Fetches what ADD names. @throws FlotillaError `forbidden` for an address inside, `invalid` for another checksum. */
export async function fetchUrl(
  place: FetchPlace,
  wanted: { url: string; checksum: string | undefined; destination: string },
): Promise<FetchedFile> {
  const { body, url } = await openUrl(place, wanted.url);
  const name = fileNameOf(body, url);
  if (wanted.destination.endsWith("/") && name === "") {
    body.destroy();
    throw new FlotillaError("invalid", `cannot determine filename from url: ${wanted.url}`);
  }
  const scratch = place.deps.images.scratch();
  try {
    const directory = join(scratch.path, "tree");
    mkdirSync(directory);
    const path = join(directory, "file");
    const hash = createHash("sha256");
    await pipeline(
      body,
      async function* (source: AsyncIterable<Buffer>) {
        for await (const chunk of source) {
          hash.update(chunk);
          yield chunk;
        }
      },
      createWriteStream(path, { mode: 0o600 }),
      { signal: place.signal },
    );
    const digest = `sha256:${hash.digest("hex")}`;
    if (wanted.checksum !== undefined && wanted.checksum !== digest) {
      throw new FlotillaError("invalid", `digest mismatch ${digest}: ${wanted.checksum}`);
    }
    chmodSync(path, 0o600);
    const modified = Date.parse(body.headers["last-modified"] ?? "");
    const seconds = Number.isNaN(modified) ? 0 : modified / 1000;
    utimesSync(path, seconds, seconds);
    return { directory, name: name === "" ? "file" : name, digest, discard: scratch.discard };
  } catch (error) {
    scratch.discard();
    throw error;
  }
}

/** The answer to a GET, redirects followed. Whoever gets it reads it or destroys it. */
export async function openUrl(place: UrlPlace, text: string): Promise<{ body: IncomingMessage; url: URL }> {
  let url = parseUrl(text);
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects += 1) {
    const body = await get(place, url);
    const status = body.statusCode ?? 0;
    const { location } = body.headers;
    if (status >= 300 && status < 400 && location !== undefined) {
      body.destroy();
      url = parseUrl(location, url);
      continue;
    }
    if (status >= 200 && status < 300) return { body, url };
    body.destroy();
    throw new FlotillaError("invalid", `failed to GET ${text} with status ${status} ${body.statusMessage ?? ""}`.trimEnd());
  }
  throw new FlotillaError("invalid", `failed to GET ${text}: stopped after ${MAX_REDIRECTS} redirects`);
}

function parseUrl(text: string, base?: URL): URL {
  let url: URL;
  try {
    url = new URL(text, base);
  } catch (error) {
    throw new FlotillaError("invalid", `invalid URL ${JSON.stringify(text)}`, { cause: error });
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") throw new FlotillaError("invalid", `unsupported protocol of ${url.href}`);
  return url;
}

async function get(place: UrlPlace, url: URL): Promise<IncomingMessage> {
  const isGuarded = place.deps.config.allowsPrivateUrls !== true;
  const host = url.hostname.replace(/^\[|\]$/g, "");
  if (isGuarded && isIP(host) !== 0 && !isPublicAddress(host)) throw refusal(url.hostname);
  const options = {
    signal: place.signal,
    headers: { accept: "*/*", "accept-encoding": "identity", "user-agent": "flotilla" },
    ...(isGuarded ? { lookup: publicLookup } : {}),
  };
  return await new Promise<IncomingMessage>((resolve, reject) => {
    const outgoing = url.protocol === "http:" ? http.request(url, options) : httpsRequest(url, options);
    outgoing.setTimeout(ANSWER_TIMEOUT_MS, () => outgoing.destroy(new FlotillaError("unavailable", `GET ${url.host}: no answer in time`)));
    outgoing.on("response", (body) => {
      outgoing.setTimeout(IDLE_TIMEOUT_MS);
      resolve(body);
    });
    outgoing.on("error", (error) => reject(error instanceof FlotillaError ? error : failure(url, error)));
    outgoing.end();
  });
}

function failure(url: URL, error: Error): FlotillaError {
  if (error.cause instanceof FlotillaError) return error.cause;
  return new FlotillaError("invalid", `GET ${url.origin}: ${error.message}`, { cause: error });
}

/** As the system looks names up, but with an error when any of the addresses is inside. */
const publicLookup: LookupFunction = (hostname, options, callback) => {
  dnsLookup(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
    if (error !== null) return callback(error, "", 0);
    const [first] = addresses;
    if (first === undefined || addresses.some(({ address }) => !isPublicAddress(address))) return callback(refusal(hostname), "", 0);
    if (options.all === true) return callback(null, addresses);
    callback(null, first.address, first.family);
  });
};

function refusal(host: string): FlotillaError {
  return new FlotillaError("forbidden", `${host} is refused: builds and imports reach public addresses only`);
}

/** The name that the server gives, else the last part of the path. */
function fileNameOf(body: IncomingMessage, url: URL): string {
  const [, quoted, plain] = /filename=(?:"([^"]+)"|([^;\s]+))/i.exec(body.headers["content-disposition"] ?? "") ?? [];
  const name = posix.basename(quoted ?? plain ?? decode(url.pathname.endsWith("/") ? "" : url.pathname));
  return name === "." || name === ".." || name.includes("\0") ? "" : name;
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
