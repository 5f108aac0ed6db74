#!/usr/bin/env node
// The `flotilla` command. `compose` is called often and must begin quickly: it loads nothing of the agent or the control plane.
import { enableCompileCache } from "node:module";

const args = process.argv.slice(2);
const at = args[0] === "--json" ? 1 : 0;
if (args[at] === "compose") {
  // Compiled code is kept between calls; without a place for it the command is only slower.
  enableCompileCache();
  const { composeCommand } = await import("./compose/compose-command.ts");
  const command = composeCommand((code) => (process.exitCode = code));
  await command.parseAsync([...args.slice(0, at), ...args.slice(at + 1)], { from: "user" });
} else await import("./program.ts");
