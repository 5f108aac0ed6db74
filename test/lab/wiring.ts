// The switch of a lab: a bridge in a namespace of its own, a port per node, and an nftables table that loses and cuts.
import { run } from "../../agent/src/host/run.ts";
import { initOf, type NodeRef } from "./nodes.ts";
import {
  type LabPlan,
  MACHINE_NODE,
  machineLink,
  nodeAddress,
  nodeAddress6,
  nodeMac,
  SWITCH_NODE,
  switchPort,
} from "./lab-plan.ts"; // prettier-ignore

/** Chains have a prefix: some short names are words of nft(8). */
const SWITCH_TABLE = `table bridge lab {
  set cut { type ifname . ifname; }
  chain lab_loss { }
  chain lab_forward {
    type filter hook forward priority 0; policy accept;
    iifname . oifname @cut drop
    jump lab_loss
  }
}
`;

export async function wireSwitch(plan: LabPlan): Promise<void> {
  const ref = { lab: plan.name, node: SWITCH_NODE };
  const link = machineLink(plan.name);
  await ipBatch(ref, ["link add br0 mtu 65535 type bridge stp_state 0 mcast_snooping 0", "link set br0 up", "link set lo up"]);
  // A switch looks at no addresses, whatever module a Docker on this machine has loaded.
  await inNetwork(ref, ["sysctl", "-qew", "net.bridge.bridge-nf-call-iptables=0", "net.bridge.bridge-nf-call-ip6tables=0"]);
  await inNetwork(ref, ["nft", "-f", "-"], SWITCH_TABLE);
  await run({ argv: ["ip", "link", "delete", link], okExitCodes: [0, 1] });
  await run({
    argv: ["ip", "-batch", "-"],
    stdin: [
      `link add ${link} address ${nodeMac(plan, MACHINE_NODE)} mtu ${plan.mtuBytes} type veth peer name ${switchPort(MACHINE_NODE)} mtu ${plan.mtuBytes} netns ${initOf(ref)}`,
      `link set ${link} addrgenmode none`,
      `addr add ${nodeAddress(plan, MACHINE_NODE)}/24 dev ${link}`,
      `link set ${link} up`,
    ].join("\n"),
  });
  await ipBatch(ref, [`link set ${switchPort(MACHINE_NODE)} master br0 up`]);
}

/** Gives a node its link, addresses and default route. */
export async function wireNode(plan: LabPlan, node: string): Promise<void> {
  const lab = plan.name;
  const port = switchPort(node);
  const mtu = `mtu ${plan.mtuBytes}`;
  await ipBatch({ lab, node: SWITCH_NODE }, [
    `link add ${port} ${mtu} type veth peer name eth0 address ${nodeMac(plan, node)} ${mtu} netns ${initOf({ lab, node })}`,
    `link set ${port} master br0 up`,
  ]);
  await ipBatch({ lab, node }, [
    "link set lo up",
    "link set eth0 addrgenmode none",
    `addr add ${nodeAddress(plan, node)}/24 dev eth0`,
    `addr add ${nodeAddress6(plan, node)}/112 dev eth0 nodad`,
    "link set eth0 up",
    `route add default via ${nodeAddress(plan, MACHINE_NODE)} dev eth0`,
  ]);
}

/** Takes the port of a node that was switched off; normally the kernel has, with the node's namespace. */
export async function unwireNode(plan: LabPlan, node: string): Promise<void> {
  const argv = ["ip", "link", "delete", switchPort(node)] as const;
  // 1: it was gone; 2: it went while it was taken. One that stayed would be in the way of wireNode.
  await run({ argv: netnsArgv({ lab: plan.name, node: SWITCH_NODE }, argv), okExitCodes: [0, 1, 2] });
}

/** Frames from one node to another are dropped; both ways unless told otherwise. Idempotent. */
export async function cutNodes(plan: LabPlan, pair: { from: string; to: string; isOneWay: boolean }): Promise<void> {
  await inNetwork({ lab: plan.name, node: SWITCH_NODE }, ["nft", "-f", "-"], cutElements("add", pair));
}

/** Undoes cutNodes. What is not cut stays as it is. */
export async function healNodes(plan: LabPlan, pair: { from: string; to: string; isOneWay: boolean }): Promise<void> {
  const text = `${cutElements("add", pair)}${cutElements("delete", pair)}`;
  await inNetwork({ lab: plan.name, node: SWITCH_NODE }, ["nft", "-f", "-"], text);
}

/** Loses frames between nodes at random. @param perMille 0 to 1000. */
export async function setLoss(plan: LabPlan, perMille: number): Promise<void> {
  const chance = perMille === 1000 ? "" : `numgen random mod 1000 < ${perMille} `;
  const rule = perMille === 0 ? "" : `add rule bridge lab lab_loss ${chance}drop\n`;
  await inNetwork({ lab: plan.name, node: SWITCH_NODE }, ["nft", "-f", "-"], `flush chain bridge lab lab_loss\n${rule}`);
}

/** Pairs that are cut, as `h1 -> h2`. */
export async function listCuts(plan: LabPlan): Promise<string[]> {
  const text = await inNetwork({ lab: plan.name, node: SWITCH_NODE }, ["nft", "list", "set", "bridge", "lab", "cut"]);
  return [...text.matchAll(/"p-(\w+)" \. "p-(\w+)"/g)].map((match) => `${match[1]} -> ${match[2]}`).sort();
}

function cutElements(verb: "add" | "delete", pair: { from: string; to: string; isOneWay: boolean }): string {
  const one = (from: string, to: string): string => `${verb} element bridge lab cut { "${switchPort(from)}" . "${switchPort(to)}" }\n`;
  return one(pair.from, pair.to) + (pair.isOneWay ? "" : one(pair.to, pair.from));
}

function netnsArgv(ref: NodeRef, argv: readonly string[]): [string, ...string[]] {
  return ["nsenter", `--target=${initOf(ref)}`, "--net", ...argv];
}

/** Runs a program of the machine in a node's network namespace alone. */
async function inNetwork(ref: NodeRef, argv: readonly string[], stdin = ""): Promise<string> {
  return (await run({ argv: netnsArgv(ref, argv), stdin })).stdout;
}

async function ipBatch(ref: NodeRef, lines: readonly string[]): Promise<void> {
  await inNetwork(ref, ["ip", "-batch", "-"], `${lines.join("\n")}\n`);
}
