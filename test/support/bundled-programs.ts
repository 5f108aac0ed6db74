// Before each file of tests that may run an engine in its own process: the programs that it starts are those of the bundle, as on a host.
import { pathToFileURL } from "node:url";
import { startProgramsBeside } from "../../agent/src/programs.ts";
import { agentMain } from "../../apps/cli/src/bundle/agent-program.ts";

startProgramsBeside(pathToFileURL(await agentMain()));
