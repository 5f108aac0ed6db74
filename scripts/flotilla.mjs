#!/usr/bin/env node
// The `flotilla` command: hands its arguments to apps/cli under Node 24.
process.argv.splice(2, 0, "flotilla");
await import("./bootstrap.mjs");
