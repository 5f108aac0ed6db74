import { release } from "node:os";
import { FlotillaError } from "@flotilla/core";
import type { Credentials } from "@flotilla/registry";
import type { ImageService } from "../storage/image-service.ts";
import { BlobCompressor } from "./compress-blob.ts";
import { openRegistries, withOwnCredentials, type DistributionContext, type DistributionRequest, type PullRequest } from "./context.ts";
import type { OwnCredentials } from "./host-credentials.ts";
import { inspectDistribution, type DistributionInspect } from "./inspect-distribution.ts";
import { LayerTransfers } from "./layer-transfers.ts";
import { PartialBlobs } from "./partial-blobs.ts";
import { stagePull, type StagedPull } from "./pull-image.ts";
import { stagePush, type PushRequest, type StagedPush } from "./push-image.ts";
import { searchRegistries, type SearchRequest, type SearchResult } from "./search-registries.ts";

export type DistributionDeps = {
  dataDir: string;
  images: Pick<ImageService, "store">;
  productVersion: string;
  ownCredentials: OwnCredentials;
  nowMs: () => number;
  random: () => number;
};

/** What the agent does with registries. Errors are worded as Docker words them. */
export type Distribution = {
  /** Resolves when the first manifest is there; the rest is `run`. */
  stagePull(request: PullRequest): Promise<StagedPull>;
  stagePush(request: PushRequest): StagedPush;
  /** `docker login`. @throws FlotillaError `unauthenticated`. */
  checkLogin(credentials: Credentials, signal: AbortSignal): Promise<void>;
  inspect(request: DistributionRequest & { reference: PullRequest["reference"] }): Promise<DistributionInspect>;
  search(request: SearchRequest): Promise<SearchResult[]>;
};

export function createDistribution(deps: DistributionDeps): Distribution {
  const { store } = deps.images;
  const partials = new PartialBlobs({ dataDir: deps.dataDir, nowMs: deps.nowMs });
  const compressor = new BlobCompressor(store);
  const context: DistributionContext = {
    store,
    dataDir: deps.dataDir,
    transfers: new LayerTransfers(store, partials),
    ownCredentials: deps.ownCredentials,
    userAgent: `flotilla/${deps.productVersion} kernel/${release()} os/linux arch/${process.arch}`,
    nowMs: deps.nowMs,
    random: deps.random,
  };
  partials.sweep();
  return {
    stagePull(request) {
      partials.sweep();
      return withOwnCredentials(context, request, (credentials) => stagePull(context, { ...request, credentials }));
    },
    stagePush: (request) => stagePush(context, request, compressor),
    async checkLogin(credentials, signal) {
      const { client } = await openRegistries(context);
      using _client = client;
      await client.checkLogin(domainOf(credentials.serveraddress ?? ""), credentials, signal);
    },
    inspect: (request) => withOwnCredentials(context, request, (credentials) => inspectDistribution(context, { ...request, credentials })),
    search: (request) => searchRegistries(context, request),
  };
}

/** Docker's addresses of registries: bare, as a URL, or the old one of Docker Hub. */
function domainOf(address: string): string {
  const domain = address.replace(/^https?:\/\//, "").split("/", 1)[0] ?? "";
  if (domain === "" || domain === "index.docker.io" || domain === "registry-1.docker.io") return "docker.io";
  if (!/^[\w.:[\]-]+$/.test(domain)) throw new FlotillaError("invalid", `invalid registry address: ${address.slice(0, 200)}`);
  return domain;
}
