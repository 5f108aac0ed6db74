// `npm run lab`: several hosts on this machine, joined to a control plane. test/lab/lab.ts does the work.
import { spawn } from "node:child_process";
import { parseArgs } from "node:util";
import { ensureDashboard } from "../apps/cli/src/up/build-dashboard.ts";
import { ADMIN_EMAIL } from "../test/lab/control-node.ts";
import { Lab, type LabStatus } from "../test/lab/lab.ts";
import { listLabs } from "../test/lab/lab-plan.ts";

const HELP = `usage: npm run lab -- COMMAND [OPTION…]

  up [--hosts N] [--mtu BYTES] [--no-dashboard] [--clocks]   N hosts (3), a switch and a control plane
  down                        all of it away, whatever state it is in
  status [--json]             hosts, addresses, what is cut, how to sign in
  exec NODE CMD…              runs a command in a host, in "control" or in "switch"; docker in it speaks to that host's engine
  log NODE                    what an agent, or the control plane, has logged
  cut A B [--one-way]         drops everything between two nodes (hosts, "control", "machine")
  heal A B [--one-way]        undoes it
  loss PERMILLE               loses frames at random on the switch; 0 ends it
  reboot NODE                 power off and on: processes, links, tables, mounts and run directory go, the data stays
  off NODE, on NODE           the two halves of it
  kill-agent HOST             SIGKILL; containers run on
  start-agent HOST
  clock HOST SECONDS          sets the wall clock of a host's agent so far from the machine's (a lab made with --clocks)
  list                        labs of this machine

  --name NAME                 one lab of several (default: lab)

A host is a pid, mount, uts and network namespace. Its clock is the machine's, but for its agent's in a lab made with --clocks.
`;

const { values, positionals } = parseArgs({
  args: splitCommand(process.argv.slice(2)).options,
  allowPositionals: true,
  options: {
    name: { type: "string", default: "lab" },
    hosts: { type: "string", default: "3" },
    mtu: { type: "string", default: "1500" },
    "no-dashboard": { type: "boolean", default: false },
    "one-way": { type: "boolean", default: false },
    clocks: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  },
});

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`lab: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

async function main(): Promise<number> {
  const [command = "", first = "", second = ""] = positionals;
  if (values.help || command === "") {
    process.stdout.write(HELP);
    return values.help ? 0 : 2;
  }
  if (process.getuid?.() !== 0) throw new Error("a lab makes namespaces and links: run this as root");
  switch (command) {
    case "up":
      return await up();
    case "down":
      await Lab.remove(values.name);
      return 0;
    case "list":
      process.stdout.write(listLabs().map((name) => `${name}\n`).join("")); // prettier-ignore
      return 0;
  }
  return await change(Lab.open(values.name), { command, first, second });
}

async function up(): Promise<number> {
  const hostCount = integer("--hosts", values.hosts, [1, 64]);
  const mtuBytes = integer("--mtu", values.mtu, [1280, 65_535]);
  const hasDashboard = !values["no-dashboard"];
  if (hasDashboard) await ensureDashboard((text) => process.stderr.write(`lab: ${text}\n`));
  const startedAt = performance.now();
  const lab = await Lab.up(values.name, { hostCount, mtuBytes, hasDashboard, hasClocks: values.clocks });
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  process.stderr.write(`lab: ${lab.plan.name} is up after ${seconds} s\n`);
  printStatus(await lab.status());
  return 0;
}

async function change(lab: Lab, { command, first, second }: { command: string; first: string; second: string }): Promise<number> {
  switch (command) {
    case "status":
      printStatus(await lab.status());
      return 0;
    case "exec":
      return await exec(lab, first);
    case "log":
      process.stdout.write(lab.log(first));
      return 0;
    case "cut":
      await lab.cut(first, second, values["one-way"]);
      return 0;
    case "heal":
      await lab.heal(first, second, values["one-way"]);
      return 0;
    case "loss":
      await lab.lose(integer("loss", first, [0, 1000]));
      return 0;
    case "reboot":
      await lab.reboot(first);
      return 0;
    case "off":
      await lab.powerOff(first);
      return 0;
    case "on":
      await lab.powerOn(first);
      return 0;
    case "kill-agent":
      await lab.killAgent(first);
      return 0;
    case "start-agent":
      await lab.startAgent(first);
      return 0;
    case "clock":
      lab.setClock(first, Number(splitCommand(process.argv.slice(2)).command[0]));
      return 0;
    default:
      throw new Error(`there is no command ${command}; --help lists them`);
  }
}

function exec(lab: Lab, node: string): Promise<number> {
  const { command } = splitCommand(process.argv.slice(2));
  if (command.length === 0) throw new Error("exec needs a command: npm run lab -- exec h2 ip addr");
  const [file, ...args] = lab.argvIn(node, command);
  const child = spawn(file, args, { stdio: "inherit", env: { ...process.env, ...lab.environmentOf(node) } });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => resolve(code ?? (signal === "SIGINT" ? 130 : 143)));
  });
}

function printStatus(status: LabStatus): void {
  if (values.json) {
    process.stdout.write(`${JSON.stringify(status)}\n`);
    return;
  }
  if (status.url !== undefined) process.stdout.write(`${status.url}  ${ADMIN_EMAIL} ${status.adminPassword}  token ${status.adminToken}\n`);
  for (const { host, address, isOn, isAgentUp, isOnline, engine } of status.hosts) {
    const link = isOnline === undefined ? "" : isOnline ? "online" : "offline";
    process.stdout.write(
      `${host}  ${address}  ${isOn ? "on" : "off"}  agent ${isAgentUp ? "up" : "down"}  ${link}  DOCKER_HOST=${engine}\n`,
    );
  }
  for (const cut of status.cuts) process.stdout.write(`cut  ${cut}\n`);
}

function integer(what: string, text: string, [min, max]: [number, number]): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= min && value <= max) return value;
  throw new Error(`${what} must be a number from ${min} to ${max}, not "${text}"`);
}

/** What follows `exec NODE` belongs to the command, its options too; what follows `clock HOST` may begin with a minus. */
function splitCommand(args: readonly string[]): { options: string[]; command: string[] } {
  const at = args.findIndex((arg) => arg === "exec" || arg === "clock");
  if (at === -1) return { options: [...args], command: [] };
  return { options: args.slice(0, at + 2), command: args.slice(at + 2) };
}
