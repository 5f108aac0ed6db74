import type * as Http from "node:http";

/**
 * `node:http` for programs that never call `fetch`. An `import` of it reads every export in order to link them, and one of them loads
 * Node's whole fetch: 14 MB of memory and 80 ms of a processor at each start (Node 24; test/architecture/imports.test.ts keeps it out).
 */
export const http: typeof Http = process.getBuiltinModule("node:http");
