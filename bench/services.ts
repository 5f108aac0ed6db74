// A network of ten thousand services: what all of them and what one change cost, in the agent and in the resolver, a process of its own.
// The agent's own network part, without containers' processes.
import { serviceResourceId } from "@flotilla/protocol";
import { sampleNetwork, sampleService } from "@flotilla/protocol/sample-network";
import { containerRequest, HOST_ADDRESS, NetworkLab, OUTSIDE_ADDRESS } from "../test/host/network-lab.ts";
import type { Case, Row } from "./case.ts";
import { median } from "./measure.ts";

const SERVICES = 10_000;
const CHANGES = 100;
const NETWORK_ID = "5e".repeat(32);

export const services: Case = async () => {
  const lab = new NetworkLab();
  try {
    await lab.joinOutside();
    return await measure(lab);
  } finally {
    await lab.close();
  }
};

/** One of them changes, until the resolver answers by it. */
async function measure(lab: NetworkLab): Promise<Row[]> {
  const { networks: manager } = lab.open("services");
  await manager.reconcile([]);
  const hosts = [HOST_ADDRESS, OUTSIDE_ADDRESS].map((underlay, at) => ({ number: at + 1, underlay, tunnels: [] }));
  const addresses = { subnet: "10.128.0.0/9", gateway: "10.128.0.1", blocks: [{ host: 1, cidr: "10.255.0.0/26" }] };
  const state = { ...sampleNetwork(2, { id: NETWORK_ID, name: "many", vni: 8_999, hosts, ...addresses }), self: 1 };
  const bodies = new Map([[state.id, state]]);
  const tell = async (changed: ReadonlyMap<string, unknown>): Promise<number> => {
    const startedAt = performance.now();
    const failures = await manager.applyOverlays(bodies, changed);
    if (failures.size > 0) throw new Error([...failures.values()][0]);
    return performance.now() - startedAt;
  };
  await tell(new Map());
  await manager.attach(containerRequest("d".repeat(64), { endpoints: [{ networkName: state.name, aliases: [] }] }));
  const loadMs = await tell(new Map(Array.from({ length: SERVICES }, (_, index) => serviceOf(index, 2))));
  const changeMs: number[] = [];
  for (let index = 0; index < CHANGES; index += 1) changeMs.push(await tell(new Map([serviceOf(index * 7, 3)])));
  const row = { unit: "ms", dockerd: undefined, ratio: undefined };
  return [
    { ...row, name: `${SERVICES} services: all stored, balanced and named`, flotilla: loadMs, target: "" },
    {
      ...row,
      name: `${SERVICES} services: one change stored, balanced and named`,
      flotilla: median(changeMs),
      target: "5",
      samples: { changeMs },
    },
  ];
}

function serviceOf(index: number, backend: number): [key: string, body: unknown] {
  const address = `10.129.${index >> 8}.${index & 0xff}`;
  const backends = [{ address: `10.255.0.${backend}`, weight: 1 }];
  const body = sampleService({ networkId: NETWORK_ID, id: `s${index}`, addresses: [address], backends });
  return [serviceResourceId(body), body];
}
