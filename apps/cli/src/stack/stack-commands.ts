import type { Command } from "commander";
import type { Output } from "../output.ts";
import type * as Adoption from "./adopt-actions.ts";
import type { AdoptOptions } from "./adopt-actions.ts";
import type { FileOptions } from "./load-files.ts";
import type * as Actions from "./stack-actions.ts";

type Run = (command: (output: Output) => Promise<number | void>) => Promise<void>;

/** What a command needs is loaded when it runs: the rest of `flotilla` starts without it. */
const actions = (): Promise<typeof Actions> => import("./stack-actions.ts");
const adoption = (): Promise<typeof Adoption> => import("./adopt-actions.ts");
const collect = (value: string, before: string[] = []): string[] => [...before, value];

/** `flotilla stack …`. */
export function addStackCommands(program: Command, run: Run): void {
  const stack = program.command("stack").description("compose projects over all hosts of the team");
  addFileCommands(stack, run);
  stack
    .command("ls")
    .description("list stacks")
    .action(() => run(async (output) => (await actions()).listStacks(output)));
  addAdoptionCommands(stack, run);
  stack
    .command("ps <name>")
    .description("list the replicas of a stack, with their hosts")
    .action((name: string) => run(async (output) => (await actions()).listReplicas(output, name)));
  stack
    .command("services <name>")
    .description("list the services of a stack")
    .action((name: string) => run(async (output) => (await actions()).listServices(output, name)));
  stack
    .command("logs <name>")
    .description("show the logs of all replicas, over all hosts")
    .option("-f, --follow", "go on as lines come", false)
    .option("-n, --tail <lines>", "lines to begin with, of each replica", "all")
    .option("-t, --timestamps", "show when each line was written", false)
    .option("--service <service>", "of this service only")
    .action((name: string, options: Actions.LogsRequest) => run(async (output) => (await actions()).showLogs(output, name, options)));
  stack
    .command("rollback <name>")
    .description("go back to an earlier revision")
    .option("--revision <number>", "which one (default: the one before)")
    .option("-d, --detach", "do not wait for the end", false)
    .action((name: string, options: { revision?: string; detach: boolean }) =>
      run(async (output) => (await actions()).rollbackStack(output, name, options)),
    );
  stack
    .command("rm <name>")
    .description("remove a stack; its volumes stay")
    .action((name: string) => run(async (output) => (await actions()).removeStack(output, name)));
  stack
    .command("diff <name> [revisions...]")
    .description("show how the files of two revisions differ (default: the last two)")
    .action((name: string, revisions: string[]) => run(async (output) => (await actions()).diffStack(output, name, revisions)));
  for (const [act, description] of Object.entries(CONTROLS)) {
    stack
      .command(`${act} <name>`)
      .description(description)
      .option("--service <service>", "of this service only")
      .action((name: string, options: { service?: string }) =>
        run(async (output) => (await actions()).controlStack(output, name, { act, ...options })),
      );
  }
}

const CONTROLS = {
  pause: "hold the rollouts of a stack",
  continue: "let held or failed rollouts go on",
  abort: "go back to what was before the rollouts that are under way",
  approve: "let a rollout go on after its canary",
} as const;

function addAdoptionCommands(stack: Command, run: Run): void {
  stack
    .command("outside")
    .description("list compose projects that run on hosts and belong to no stack")
    .option("--host <name>", "of this host only")
    .action((options: { host?: string }) => run(async (output) => (await adoption()).listOutside(output, options)));
  stack
    .command("adopt <project>")
    .description("make a compose project that runs on a host a stack")
    .requiredOption("--host <name>", "the host that it runs on")
    .option("--plan", "only show what would become of it", false)
    .option("-d, --detach", "do not wait for the end", false)
    .action((project: string, options: AdoptOptions) => run(async (output) => (await adoption()).adoptProject(output, project, options)));
}

function addFileCommands(stack: Command, run: Run): void {
  const withFiles = (command: Command): Command =>
    command
      .option("-c, --compose-file <path>", "a compose file; later ones are merged over earlier ones", collect)
      .option("--env-file <path>", "a file of variables instead of .env", collect)
      .option("--profile <name>", "a profile that is active", collect);
  withFiles(stack.command("deploy <name>"))
    .description("apply a compose file and wait until it is rolled out")
    .option("-d, --detach", "do not wait for the end", false)
    .action((name: string, options: FileOptions & { detach: boolean }) =>
      run(async (output) => (await actions()).deployStack(output, name, options)),
    );
  withFiles(stack.command("plan <name>"))
    .description("show what applying a compose file would do")
    .action((name: string, options: FileOptions) => run(async (output) => (await actions()).planStack(output, name, options)));
}
