// A real Docker swarm as the overlay's peer: two of Debian's dockerd, each in a host of a lab, and a container on each of them.
import { spawn, type ChildProcess } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { nodeAddress, type LabPlan, SWITCH_NODE, writePlan } from "../test/lab/lab-plan.ts";
import { Lab, planLab } from "../test/lab/lab.ts";
import { initOf, inNode, startNode } from "../test/lab/nodes.ts";
import { runCommand } from "../test/support/docker.ts";
import { wireNode, wireSwitch } from "../test/lab/wiring.ts";
import { command } from "./measure.ts";
import type { Path } from "./overlay-paths.ts";

const NODES = ["h1", "h2"] as const;
const START_MS = 30_000;

export type Swarm = { path: Path; close(): Promise<void> };

/** @param image of busybox, as a tar file of its root. @throws when the kernel or dockerd lack something that a swarm needs. */
export async function startSwarm(dir: string, image: string): Promise<Swarm> {
  const plan = await planLab(`sw${process.pid}`, { hostCount: NODES.length, hasControl: false });
  const daemons: ChildProcess[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(daemons.map(ended));
    await Lab.remove(plan.name);
  };
  try {
    writePlan(plan);
    await startNode({ lab: plan.name, node: SWITCH_NODE });
    await wireSwitch(plan);
    for (const node of NODES) {
      await startNode({ lab: plan.name, node });
      await wireNode(plan, node);
      daemons.push(startDaemon(plan, node, dir));
    }
    await Promise.all(NODES.map((node) => untilReady(socketOf(dir, node))));
    return { path: await joinAndRun(plan, dir, image), close };
  } catch (error) {
    await close();
    throw error;
  }
}

const socketOf = (dir: string, node: string): string => `unix://${join(dir, `${node}.sock`)}`;

function startDaemon(plan: LabPlan, node: string, dir: string): ChildProcess {
  const own = (name: string): string => join(dir, `${node}.${name}`);
  const options = ["--data-root", own("data"), "--exec-root", own("exec"), "--pidfile", own("pid"), "-H", `unix://${own("sock")}`];
  const config = own("json");
  writeFileSync(config, "{}");
  const [file, ...args] = inNode({ lab: plan.name, node }, ["dockerd", "--config-file", config, ...options]);
  return spawn(file, args, { stdio: "ignore" });
}

async function untilReady(host: string): Promise<void> {
  for (const deadline = Date.now() + START_MS; ;) {
    try {
      await command(["docker", "-H", host, "version"]);
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

async function joinAndRun(plan: LabPlan, dir: string, image: string): Promise<Path> {
  const docker = async (node: string, ...args: string[]): Promise<string> => {
    const { exitCode, stdout, stderr } = await runCommand(["docker", "-H", socketOf(dir, node), ...args]);
    if (exitCode !== 0) throw new Error(`docker ${args.join(" ")} on ${node}: ${stderr}`);
    return stdout.trim();
  };
  const [first, second] = NODES;
  await docker(first, "swarm", "init", "--advertise-addr", nodeAddress(plan, first));
  const token = await docker(first, "swarm", "join-token", "-q", "worker");
  await docker(
    second,
    "swarm",
    "join",
    "--token",
    token,
    "--advertise-addr",
    nodeAddress(plan, second),
    `${nodeAddress(plan, first)}:2377`,
  );
  await docker(first, "network", "create", "-d", "overlay", "--attachable", "bench");
  const ends: { netns: string; address: string }[] = [];
  for (const node of NODES) {
    await docker(node, "import", "--change", 'CMD ["sh"]', image, "busybox:latest");
    await docker(node, "run", "-d", "--name", `end-${node}`, "--network", "bench", "busybox", "sleep", "3600");
    const format = "{{.NetworkSettings.SandboxKey}} {{.NetworkSettings.Networks.bench.IPAddress}}";
    const [key = "", address = ""] = (await docker(node, "inspect", "-f", format, `end-${node}`)).split(" ");
    ends.push({ netns: `/proc/${initOf({ lab: plan.name, node })}/root${key}`, address });
  }
  const [from, to] = ends;
  if (from === undefined || to === undefined) throw new Error("the swarm has no two ends");
  return { from: from.netns, to: to.netns, address: to.address, port: 7_001 };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  await new Promise((resolve) => {
    child.once("exit", resolve);
    child.kill("SIGTERM");
  });
}
