import { join } from "node:path";

/**
 * Code that Node compiled, kept between the programs that tests start (a path of nobody's instance): an agent's or a worker's start
 * costs 0.4 s of a processor with it and 1.0 s without. Like a host that is not new.
 */
export const COMPILE_CACHE = { NODE_COMPILE_CACHE: join(import.meta.dirname, "..", "..", ".test-output", "compile-cache") } as const;

/** The same, for what takes a configuration instead of an environment. */
export const COMPILE_CACHE_CONFIG = { compileCacheDir: COMPILE_CACHE.NODE_COMPILE_CACHE } as const;
