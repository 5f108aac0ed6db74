// The beginning of `flotilla compose`, also of its bundle: called often, so it loads nothing of the agent or the control plane.
import { enableCompileCache } from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";
import { config } from "zod";
import { endWithReader } from "../end-with-reader.ts";

// Compiled code is kept between calls; without a place for it the command is only slower. Not where Node would keep it, below /tmp:
// whoever made that directory first would write the code that the next caller, often root, runs.
const { NODE_COMPILE_CACHE, XDG_CACHE_HOME } = process.env;
enableCompileCache(NODE_COMPILE_CACHE ?? join(XDG_CACHE_HOME ?? join(homedir(), ".cache"), "flotilla", "compiled"));
// A schema is used a few times here: to write and compile a function for each would take longer than they save.
config({ jitless: true });
endWithReader();
const { composeCommand } = await import("./compose-command.ts");
const args = process.argv.slice(2).filter((arg, at) => at > 1 || arg !== "compose");
await composeCommand((code) => (process.exitCode = code)).parseAsync(args, { from: "user" });
