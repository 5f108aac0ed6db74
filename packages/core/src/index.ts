export * from "./errors.ts";
export * from "./logger.ts";
export * from "./keyed-lock.ts";
export * from "./backoff.ts";
export * from "./ipv4.ts";
export * from "./suggest.ts";
export * from "./hex-name.ts";
