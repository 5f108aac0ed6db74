// Nodes of a lab: each a process of its own pid, mount, uts and network namespace. The first process of the pid namespace
// is a small init; killing it ends everything in the node and takes its mounts, links and tables along, as power failing does.
// Nodes are found by their init's environment, so no list of process ids can be lost or wrong.
import { spawn } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { run } from "../../agent/src/host/run.ts";

const INIT = "/usr/bin/tini-static";
const SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const POLL_MS = 10;
const TIMEOUT_MS = 30_000;

export type NodeRef = { lab: string; node: string };

/** Process ids (as the machine sees them) of the inits of a lab's nodes. */
export function findInits(lab: string): Map<string, number> {
  const inits = new Map<string, number>();
  for (const pid of processIds()) {
    if (!readProc(pid, "cmdline").startsWith(`${INIT}\0`)) continue;
    const environment = readProc(pid, "environ").split("\0");
    const node = environment.find((line) => line.startsWith("FLOTILLA_LAB_NODE="))?.slice("FLOTILLA_LAB_NODE=".length);
    if (node !== undefined && environment.includes(`FLOTILLA_LAB=${lab}`)) inits.set(node, pid);
  }
  return inits;
}

/** @throws when the node is off. */
export function initOf(ref: NodeRef): number {
  const pid = findInits(ref.lab).get(ref.node);
  if (pid === undefined) throw new Error(`${ref.node} of lab ${ref.lab} is not running`);
  return pid;
}

/** Starts an empty node and returns its init's process id. One that runs is used as it is. */
export async function startNode(ref: NodeRef): Promise<number> {
  const present = findInits(ref.lab).get(ref.node);
  if (present !== undefined) return present;
  const child = spawn(
    "unshare",
    ["--mount", "--uts", "--pid", "--net", "--fork", "--mount-proc", "--propagation", "private", INIT, "--", "sleep", "infinity"],
    { env: { PATH: SYSTEM_PATH, FLOTILLA_LAB: ref.lab, FLOTILLA_LAB_NODE: ref.node }, stdio: "ignore", detached: true },
  );
  child.unref();
  for (const deadline = Date.now() + TIMEOUT_MS; ;) {
    const pid = findInits(ref.lab).get(ref.node);
    if (pid !== undefined) {
      await run({ argv: ["nsenter", `--target=${pid}`, "--uts", "hostname", ref.node] });
      return pid;
    }
    if (child.exitCode !== null || Date.now() > deadline) throw new Error(`node ${ref.node} of lab ${ref.lab} does not start`);
    await setTimeout(POLL_MS);
  }
}

/** Ends every process of a node; its namespaces go with them. Returns when the last is gone. Idempotent. */
export async function killNode(ref: NodeRef): Promise<void> {
  const pid = findInits(ref.lab).get(ref.node);
  if (pid === undefined) return;
  const namespace = namespaceOf(pid, "pid");
  process.kill(pid, "SIGKILL");
  for (const deadline = Date.now() + TIMEOUT_MS; ;) {
    const left = processIds().filter((candidate) => namespace !== "" && namespaceOf(candidate, "pid") === namespace);
    if (left.length === 0 && readProc(pid, "cmdline") === "") return;
    if (Date.now() > deadline) throw new Error(`processes of node ${ref.node} do not end: ${left.join(" ")}`);
    await setTimeout(POLL_MS);
  }
}

/** argv that runs a command inside a node. */
export function inNode(ref: NodeRef, argv: readonly string[]): [string, ...string[]] {
  return ["nsenter", `--target=${initOf(ref)}`, "--mount", "--uts", "--pid", "--net", "--wd=/", ...argv];
}

/** Processes of a node whose command line matches, as the machine sees them. */
export function findInNode(ref: NodeRef, pattern: RegExp): number[] {
  const pid = findInits(ref.lab).get(ref.node);
  if (pid === undefined) return [];
  const namespace = namespaceOf(pid, "pid");
  return processIds().filter((candidate) => namespaceOf(candidate, "pid") === namespace && pattern.test(readProc(candidate, "cmdline")));
}

function processIds(): number[] {
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map(Number); // prettier-ignore
}

/** "" when the process is gone, or a zombie. */
function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}

function namespaceOf(pid: number, kind: string): string {
  try {
    return readlinkSync(`/proc/${pid}/ns/${kind}`);
  } catch {
    return "";
  }
}
