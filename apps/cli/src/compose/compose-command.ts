// `flotilla compose`: what each command takes. The work is loaded when a command is called, so that help and errors are quick.
import { toFlotillaError } from "@flotilla/core";
import { Command, InvalidArgumentError, Option } from "commander";
import { VERSION } from "../paths.ts";
import { type GlobalOptions, Session, type SessionIo } from "./session.ts";

type Work = (session: Session, args: readonly string[], options: Record<string, unknown>) => Promise<number>;

const collect = (value: string, previous: string[] = []): string[] => [...previous, value];

function seconds(text: string): number {
  if (!/^-?\d{1,9}$/.test(text)) throw new InvalidArgumentError("expected a number of seconds.");
  return Number(text);
}

function index(text: string): number {
  if (!/^\d{1,6}$/.test(text) || Number(text) < 1) throw new InvalidArgumentError("expected a number from 1.");
  return Number(text);
}

/** The command with all that is below it. `exit` gets the exit code of what was called; what it runs on is asked for when it is called. */
export function composeCommand(exit: (code: number) => void, io: () => SessionIo = processIo): Command {
  const compose = new Command("compose")
    .description("run applications of several containers from compose files")
    .enablePositionalOptions()
    .option("-f, --file <path>", "compose file (again for files that are merged over it)", collect)
    .option("-p, --project-name <name>", "name of the project")
    .option("--profile <name>", "profile to activate (again for more)", collect)
    .option("--env-file <path>", "file of variables instead of .env (again for more)", collect)
    .option("--project-directory <path>", "where relative paths begin (default: where the first file is)")
    .option("-H, --host <host>", "engine: unix://…, tcp://…, or the name of a host of the control plane")
    .option("-c, --context <name>", "docker context to use")
    .addOption(new Option("--ansi <when>", "control characters").choices(["never", "always", "auto"]).default("auto"))
    .addOption(new Option("--progress <how>", "how progress is shown").choices(["auto", "tty", "plain", "quiet"]).default("auto"))
    .option("--dry-run", "say what `up` and `create` would do, and do nothing")
    .option("--json", "print results as JSON")
    .version(VERSION);
  const define = (usage: string, description: string, work: Work): Command => {
    const command = compose.command(usage).description(description).option("--json", "print results as JSON");
    return command.action(async () => exit(await execute({ globals: compose.opts<GlobalOptions>(), command, io: io() }, work)));
  };
  defineRunning(define);
  defineLifecycle(define);
  defineLooking(define);
  defineImages(define);
  defineInside(define);
  defineVersion(define);
  return compose;
}

const processIo = (): SessionIo => ({
  environment: process.env,
  stdout: process.stdout,
  stderr: process.stderr,
  version: VERSION,
  workingDir: process.cwd(),
});

/** Docker Compose's exit code for files that are wrong. */
const BAD_FILES = 15;

type Called = { globals: GlobalOptions; command: Command; io: SessionIo };

async function execute({ globals, command, io }: Called, work: Work): Promise<number> {
  const options = command.opts<Record<string, unknown>>();
  const json = globals.json === true || options["json"] === true;
  const session = new Session({ ...globals, json }, io);
  try {
    return await work(session, command.args, options);
  } catch (error) {
    session.progress.end();
    const { code, message, details } = toFlotillaError(error);
    if (json)
      io.stdout.write(`${JSON.stringify({ error: { code, message, ...("issues" in details ? { issues: details["issues"] } : {}) } })}\n`);
    else io.stderr.write(`${message}\n`);
    return "issues" in details ? BAD_FILES : 1;
  } finally {
    session.close();
  }
}

type Define = (usage: string, description: string, work: Work) => Command;

function defineRunning(define: Define): void {
  creating(
    define("up [services...]", "make and start containers", async (session, args, options) =>
      (await import("./commands/up.ts")).up(session, args, options),
    ),
  )
    .option("-d, --detach", "run in the background")
    .option("--no-color", "one colour for all logs")
    .option("--no-log-prefix", "logs without the containers' names")
    .option("--timestamps", "logs with times")
    .option("--no-start", "make the containers and do not start them")
    .option("--abort-on-container-exit", "stop all when one ends")
    .option("--abort-on-container-failure", "stop all when one ends with an error")
    .option("--exit-code-from <service>", "stop all when one ends, with the exit code of this service's container")
    .option("--attach <service>", "show logs of these services only", collect)
    .option("--no-attach <service>", "show no logs of this service", collect)
    .option("--wait", "wait until all run or are healthy; implies -d")
    .option("--wait-timeout <seconds>", "how long", seconds);
  creating(
    define("create [services...]", "make containers and do not start them", async (session, args, options) =>
      (await import("./commands/up.ts")).up(session, args, { ...options, start: false }),
    ),
  );
  define("down [services...]", "stop and remove containers and networks", async (session, args, options) =>
    (await import("./commands/down.ts")).down(session, args, options),
  )
    .option("-v, --volumes", "also remove volumes")
    .addOption(new Option("--rmi <which>", "also remove images").choices(["all", "local"]))
    .option("--remove-orphans", "also containers of services that the file does not have")
    .option("-t, --timeout <seconds>", "how long a container may take to stop", seconds);
}

/** What `up` and `create` share. */
function creating(command: Command): Command {
  return command
    .option("--build", "build images before")
    .option("--no-build", "build no images, also not missing ones")
    .option("--pull <when>", "always, missing or never")
    .option("--quiet-pull", "pull without telling the progress")
    .option("--force-recreate", "replace containers also when nothing has changed")
    .option("--no-recreate", "leave containers as they are, also when something has changed")
    .option("--no-deps", "not what the services depend on")
    .option("--always-recreate-deps", "replace what the services depend on too")
    .option("-V, --renew-anon-volumes", "new anonymous volumes instead of those of the replaced containers")
    .option("--remove-orphans", "remove containers of services that the file does not have")
    .option("--scale <service=number>", "how many containers of a service", collect)
    .option("-t, --timeout <seconds>", "how long a container may take to stop", seconds);
}

function defineLifecycle(define: Define): void {
  const lifecycle = () => import("./commands/lifecycle.ts");
  define("start [services...]", "start containers that have been made", async (session, args, options) =>
    (await lifecycle()).start(session, args, options),
  ).option("--wait", "wait until they run or are healthy");
  define("stop [services...]", "stop containers", async (session, args, options) =>
    (await lifecycle()).stop(session, args, options),
  ).option("-t, --timeout <seconds>", "how long one may take", seconds);
  define("restart [services...]", "restart containers", async (session, args, options) =>
    (await lifecycle()).restart(session, args, options),
  )
    .option("-t, --timeout <seconds>", "how long one may take to stop", seconds)
    .option("--no-deps", "accepted for Docker's sake: only the named services are restarted");
  define("pause [services...]", "pause containers", async (session, args) => (await lifecycle()).pause(session, args));
  define("unpause [services...]", "let paused containers go on", async (session, args) => (await lifecycle()).unpause(session, args));
  define("kill [services...]", "send a signal to containers", async (session, args, options) =>
    (await lifecycle()).kill(session, args, options),
  ).option("-s, --signal <signal>", "which (default: SIGKILL)");
  define("rm [services...]", "remove stopped containers", async (session, args, options) => (await lifecycle()).rm(session, args, options))
    .option("-f, --force", "do not ask")
    .option("-s, --stop", "stop them before")
    .option("-v, --volumes", "also their anonymous volumes");
}

function defineLooking(define: Define): void {
  const list = () => import("./commands/ps.ts");
  define("ps [services...]", "list containers", async (session, args, options) => (await list()).ps(session, args, options))
    .option("-a, --all", "also stopped ones")
    .option("-q, --quiet", "ids only")
    .option("--services", "names of services only")
    .option("--status <status>", "only those in this state", collect)
    .option("--filter <filter>", "status=STATE")
    .option("--format <format>", "table or json");
  define("logs [services...]", "show logs", async (session, args, options) =>
    (await import("./commands/logs.ts")).logs(session, args, options),
  )
    .option("-f, --follow", "go on as they come")
    .option("-n, --tail <lines>", "how many lines of each (default: all)")
    .option("--since <time>", "from a time, or an age like 10m, on")
    .option("--until <time>", "up to a time")
    .option("-t, --timestamps", "with times")
    .option("--no-color", "one colour for all")
    .option("--no-log-prefix", "without the containers' names")
    .option("--index <number>", "which container of a service", index);
  define("top [services...]", "show the processes of containers", async (session, args) => (await list()).top(session, args));
  define("images [services...]", "list the containers' images", async (session, args, options) =>
    (await list()).images(session, args, options),
  )
    .option("-q, --quiet", "ids only")
    .option("--format <format>", "table or json");
  define("ls", "list projects", async (session, _args, options) => (await list()).ls(session, options))
    .option("-a, --all", "also those of which nothing runs")
    .option("-q, --quiet", "names only")
    .option("--format <format>", "table or json");
  define("port <service> <private-port>", "show where a port is published", async (session, [service = "", port = ""], options) =>
    (await list()).port(session, [service, port], options),
  )
    .addOption(new Option("--protocol <protocol>", "of the port").choices(["tcp", "udp"]))
    .option("--index <number>", "which container of the service", index);
  define("events [services...]", "show what happens to containers", async (session, args, options) =>
    (await import("./commands/events.ts")).events(session, args, options),
  )
    .option("--since <time>", "from a time on")
    .option("--until <time>", "up to a time");
  define("config [services...]", "check the files and print what they mean", async (session, args, options) =>
    (await import("./commands/config.ts")).config(session, args, options),
  )
    .option("--services", "names of services only")
    .option("--volumes", "names of volumes only")
    .option("--networks", "names of networks only")
    .option("--images", "names of images only")
    .option("--profiles", "names of profiles only")
    .option("--hash <services>", "digests of services (`*`: of all)")
    .option("--format <format>", "yaml or json")
    .option("-q, --quiet", "only check")
    .option("-o, --output <path>", "write into a file")
    .option("--no-interpolate", "leave variables as they are");
}

/** As scripts ask for it. */
function defineVersion(define: Define): void {
  define("version", "show the version", async (session, _args, options) => {
    const isDocument = session.isJson || options["format"] === "json";
    const text = options["short"] === true ? session.version : `Flotilla Compose version ${session.version}`;
    session.stdout.write(`${isDocument ? JSON.stringify({ version: session.version }) : text}\n`);
    return 0;
  })
    .option("--short", "the number only")
    .addOption(new Option("-f, --format <format>", "how it is shown").choices(["pretty", "json"]));
}

function defineImages(define: Define): void {
  const images = () => import("./commands/images.ts");
  define("build [services...]", "build images", async (session, args, options) => (await images()).build(session, args, options))
    .option("--build-arg <key=value>", "argument of the build (again for more)", collect)
    .option("--no-cache", "run every step anew")
    .option("--pull", "pull the base images again")
    .option("--push", "push what was built")
    .option("-q, --quiet", "without the output of the builds")
    .option("--with-dependencies", "also what the services depend on");
  define("pull [services...]", "pull images", async (session, args, options) => (await images()).pull(session, args, options))
    .option("-q, --quiet", "without progress")
    .option("--include-deps", "also what the services depend on")
    .option("--ignore-buildable", "not those that can be built")
    .option("--ignore-pull-failures", "only warn of what cannot be pulled");
  define("push [services...]", "push images that were built", async (session, args, options) =>
    (await images()).push(session, args, options),
  )
    .option("-q, --quiet", "without progress")
    .option("--include-deps", "also what the services depend on")
    .option("--ignore-push-failures", "only warn of what cannot be pushed");
}

function defineInside(define: Define): void {
  inside(
    define("exec <service> [command...]", "run a command in a running container", async (session, args, options) =>
      (await import("./commands/exec.ts")).exec(session, args, options),
    ),
  )
    .option("--index <number>", "which container of the service", index)
    .option("--privileged", "with all rights");
  inside(
    define("run <service> [command...]", "run a command in a container of its own", async (session, args, options) =>
      (await import("./commands/run.ts")).run(session, args, options),
    ),
  )
    .option("--rm", "remove the container when it ends")
    .option("--name <name>", "name of the container")
    .option("--entrypoint <program>", "instead of the service's")
    .option("-v, --volume <source:target>", "bind a path (again for more)", collect)
    .option("-p, --publish <ports>", "publish a port (again for more)", collect)
    .option("-l, --label <key=value>", "label of the container (again for more)", collect)
    .option("-P, --service-ports", "publish the service's ports")
    .option("--use-aliases", "be found by the service's names in its networks")
    .option("--no-deps", "not what the service depends on")
    .option("--build", "build the image before")
    .option("--pull <when>", "always, missing or never")
    .option("--quiet-pull", "pull without telling the progress");
  define(
    "cp <source> <target>",
    "copy between a container (SERVICE:PATH) and this machine",
    async (session, [source = "", target = ""], options) => (await import("./commands/cp.ts")).cp(session, [source, target], options),
  )
    .option("--index <number>", "which container of the service (default: all)", index)
    .option("-a, --archive", "keep owners")
    .option("-L, --follow-link", "what a link points to");
}

/** What `exec` and `run` share; what stands behind the service's name is the command's own. */
function inside(command: Command): Command {
  return command
    .passThroughOptions()
    .option("-d, --detach", "run in the background")
    .option("-e, --env <key=value>", "variable (again for more)", collect)
    .option("-T, --no-tty", "without a terminal")
    .option("--no-interactive", "without standard input")
    .option("-i, --interactive", "with standard input (the default)")
    .option("-u, --user <user>", "as this user")
    .option("-w, --workdir <path>", "in this directory");
}
