#!/usr/bin/env node
// The `flotilla` command.
const [first, second] = process.argv.slice(2);
await(first === "compose" || (first === "--json" && second === "compose") ? import("./compose/main.ts") : import("./program.ts"));
