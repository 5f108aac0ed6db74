export * from "./chain-id.ts";
export * from "./change.ts";
export * from "./digest.ts";
export * from "./image-config.ts";
export * from "./manifest.ts";
export * from "./media-types.ts";
export * from "./reference.ts";
