export * from "./blob-fetch.ts";
export * from "./evict.ts";
export * from "./find-upstream.ts";
export * from "./manage-upstreams.ts";
export * from "./pull-blob.ts";
export * from "./pull-manifest.ts";
export * from "./upstream-pulls.ts";
export * from "./upstream-settings.ts";
