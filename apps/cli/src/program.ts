// Every command but `compose`, which has a beginning of its own (main.ts).
import { spawn } from "node:child_process";
import { toFlotillaError } from "@flotilla/core";
import { Command } from "commander";
import { joinCommand, runAgent, uninstallAgent } from "./agent/agent-commands.ts";
import { addAuditCommands } from "./audit/audit-commands.ts";
import { backup, type BackupOptions, restore } from "./backup-commands.ts";
import { endWithReader } from "./end-with-reader.ts";
import { createOutput, type Output } from "./output.ts";
import { CONTROL_MAIN, VERSION } from "./paths.ts";
import { createToken, login, writeContext } from "./remote/remote-commands.ts";
import { packAgent } from "./bundle/agent-bundle.ts";
import { addStackCommands } from "./stack/stack-commands.ts";
import { ensureDashboard } from "./up/build-dashboard.ts";
import { up } from "./up/up.ts";

endWithReader();
const program = new Command("flotilla")
  .description("Containers on several Linux hosts, as a team.")
  .version(VERSION)
  .option("--json", "print results as JSON")
  .configureHelp({ showGlobalOptions: true });

program
  .command("up")
  .description("run everything on this machine: database, control plane and agent (host `local`)")
  .action(() => run((output) => up(output)));
program
  .command("control")
  .description("run the control plane alone")
  .action(() => run(runControl));

const agent = program.command("agent").description("the engine of this machine and its link to a control plane");
agent
  .command("join <url>")
  .description("make this machine a host of the control plane at <url>, and run the agent")
  .requiredOption("--token <token>", "join token, as the control plane shows it")
  .option("--name <name>", "name of the host (default: the machine's name)")
  .option("--no-run", "only join; an agent that runs already notices by itself")
  .action((url: string, options: { token: string; name?: string; run: boolean }) => run((output) => joinCommand(output, url, options)));
agent
  .command("run")
  .description("run the agent alone")
  .action(() => run(runAgent));
agent
  .command("uninstall")
  .description("remove all containers, images, volumes and networks of this machine's agent, and its data")
  .option("--yes", "do not ask", false)
  .action((options: { yes: boolean }) => run((output) => uninstallAgent(output, options)));

program
  .command("login <url>")
  .description("store an API token of the control plane at <url>")
  .option("--token <token>", "the token (asked for when left out)")
  .action((url: string, options: { token?: string }) => run((output) => login(output, url, options)));
program
  .command("context <host>")
  .description("write a docker context for a host, so that `docker` works on it")
  .option("--headers", "also put the token into docker's config.json (docker then sends it to every context)", false)
  .action((host: string, options: { headers: boolean }) => run((output) => writeContext(output, host, options)));
program
  .command("token")
  .description("API tokens")
  .command("create")
  .description("make an API token; it is shown once")
  .requiredOption("--name <name>", "what it is for")
  .option("--days <days>", "days until it expires (default: never)")
  .action((options: { name: string; days?: string }) => run((output) => createToken(output, options)));

const protection = "file whose first line is the passphrase (age v1, scrypt)";
program
  .command("backup [file]")
  .description("write the control plane of this machine into a file: database, keys and the registry's images; it may run meanwhile")
  .option("--passphrase-file <file>", `encrypt it; ${protection}`)
  .option("--without-registry", "leave the registry's images out", false)
  .option("--force", "replace a file that is there", false)
  .action((file: string | undefined, options: BackupOptions) => run((output) => backup(output, file, options)));
program
  .command("restore <file>")
  .description("make a control plane on this machine from a backup; one that is there must be stopped")
  .option("--passphrase-file <file>", protection)
  .option("--force", "put a control plane that is there aside", false)
  .action((file: string, options: BackupOptions) => run((output) => restore(output, file, options)));

addStackCommands(program, run);
addAuditCommands(program, run);
program
  .command("compose")
  .description("run applications of several containers from compose files (`flotilla compose --help`)")
  .action(() => undefined);

await program.parseAsync();

/** Runs a command and turns what it throws into one sentence and an exit code. */
async function run(command: (output: Output) => Promise<number | void>): Promise<void> {
  const output = createOutput(program.opts<{ json?: boolean }>().json === true);
  try {
    process.exitCode = (await command(output)) ?? 0;
  } catch (error) {
    const { code, message } = toFlotillaError(error);
    if (output.isJson) process.stdout.write(`${JSON.stringify({ error: { code, message } })}\n`);
    else output.note(message);
    process.exitCode = 1;
  }
}

async function runControl(output: Output): Promise<number> {
  await ensureDashboard((text) => output.note(text));
  packAgent(output);
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", CONTROL_MAIN], { stdio: "inherit", shell: false });
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => child.kill(signal));
    child.once("error", reject);
    child.once("exit", (code) => resolve(code ?? 1));
  });
}
