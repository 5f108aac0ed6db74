// A container's whole network set-up and its end, one after the other, in the agent's own process: how long it takes and how much
// processor time. The agent's own network part, without containers' processes; on an overlay with the names of its members.
import { sampleNetwork } from "@flotilla/protocol/sample-network";
import type { Networks } from "../agent/src/network/network-manager.ts";
import { containerRequest, HOST_ADDRESS, NetworkLab, OUTSIDE_ADDRESS } from "../test/host/network-lab.ts";
import type { Case, Row } from "./case.ts";

const CONTAINERS = 200;
/** Not counted: code that has run a few times is another than that which has not. */
const WARM_UP = 200;
const OVERLAY = "attached";

type Cost = { wallMs: number; cpuMs: number };
type Costs = { attach: Cost[]; detach: Cost[] };

export const attach: Case = async () => {
  const lab = new NetworkLab();
  try {
    await lab.joinOutside();
    const { networks } = lab.open("attach");
    await networks.reconcile([]);
    await tellOverlay(networks);
    // One that stays: a bridge and a router are made with the first container and not with the second.
    const keeper = { endpoints: ["bridge", OVERLAY].map((networkName) => ({ networkName, aliases: [] })) };
    await networks.attach(containerRequest("f".repeat(64), keeper));
    const bridge = await measure(networks, "bridge");
    return [...rowsOf("a bridge", bridge), ...rowsOf("an overlay", await measure(networks, OVERLAY))];
  } finally {
    await lab.close();
  }
};

async function tellOverlay(networks: Networks): Promise<void> {
  const hosts = [HOST_ADDRESS, OUTSIDE_ADDRESS].map((underlay, at) => ({ number: at + 1, underlay, tunnels: [] }));
  // An address that was given back rests: each container has one of its own.
  const addresses = {
    subnet: "10.130.0.0/16",
    gateway: "10.130.0.1",
    blocks: [1, 2].map((host) => ({ host, cidr: `10.130.${host * 2}.0/23` })),
  };
  const state = { ...sampleNetwork(2, { id: "a7".repeat(32), name: OVERLAY, vni: 8_998, hosts, ...addresses }), self: 1 };
  const failures = await networks.applyOverlays(new Map([[state.id, state]]), new Map());
  if (failures.size > 0) throw new Error([...failures.values()][0]);
}

async function measure(networks: Networks, networkName: string): Promise<Costs> {
  const costs: Costs = { attach: [], detach: [] };
  for (let index = -WARM_UP; index < CONTAINERS; index += 1) {
    const containerId = Math.abs(index)
      .toString(16)
      .padStart(64, index < 0 ? "d" : "c");
    const attached = await costOf(() => networks.attach(containerRequest(containerId, { endpoints: [{ networkName, aliases: [] }] })));
    const detached = await costOf(() => networks.detach(containerId));
    if (index < 0) continue;
    costs.attach.push(attached);
    costs.detach.push(detached);
  }
  return costs;
}

async function costOf(work: () => Promise<unknown>): Promise<Cost> {
  const startedAt = performance.now();
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return { wallMs: performance.now() - startedAt, cpuMs: (user + system) / 1_000 };
}

function rowsOf(network: string, costs: Costs): Row[] {
  return (["attach", "detach"] as const).flatMap((verb) =>
    (["wallMs", "cpuMs"] as const).flatMap((kind) =>
      ([50, 99] as const).map((percent): Row => {
        const samples = costs[verb].map((cost) => cost[kind]).toSorted((a, b) => a - b);
        const flotilla = samples[Math.floor((samples.length * percent) / 100)] ?? Number.NaN;
        const name = `${verb} a container to ${network}, ${kind === "wallMs" ? "time" : "the agent's processor time"}, p${percent}`;
        return {
          name,
          unit: "ms",
          flotilla,
          dockerd: undefined,
          ratio: undefined,
          target: verb === "attach" ? "≤ 5" : "",
          samples: { samples },
        };
      }),
    ),
  );
}
