import { readdirSync, readFileSync } from "node:fs";
import { Agent, request, type RequestOptions } from "node:http";
import { text } from "node:stream/consumers";
import { makeBusyboxTar } from "../test/support/busybox-image.ts";
import { ADMIN, startProduct } from "../test/support/product.ts";
import type { Case, Engines, Row } from "./case.ts";
import { interleave, median, residentSetBytes } from "./measure.ts";

const CONTAINERS = 10;
/** Calls of one round: a single one is shorter than the machine's noise. */
const CALLS = 50;
const PATH = "/v1.47/containers/json?all=1";
const MIB = 1024 * 1024;

/** What the way through the control plane adds to a call: the same agent, once on its own socket and once through `/docker/local`. */
export const proxy: Case = async (engines: Engines): Promise<Row[]> => {
  const product = await startProduct({ withAdmin: true });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  try {
    await makeContainers(product);
    const socketPath = product.socketHost.slice("unix://".length);
    const direct = { agent, socketPath, path: PATH };
    const { hostname, port } = new URL(product.url);
    const through = { agent, hostname, port, path: `/docker/local${PATH}`, headers: { authorization: `Bearer ${ADMIN.token}` } };
    const calls = (options: RequestOptions) => async (): Promise<void> => {
      for (let i = 0; i < CALLS; i++) await get(options);
    };
    const { samples } = await interleave("proxy", engines.rounds, [
      { name: "socket", run: calls(direct) },
      { name: "control plane", run: calls(through) },
    ]);
    const perCall = (name: string): number => median(samples[name] ?? []) / CALLS;
    const added = perCall("control plane") - perCall("socket");
    const alone = { dockerd: undefined, ratio: undefined };
    return [
      { ...alone, name: `GET /containers/json, ${CONTAINERS} containers, own socket`, unit: "ms", flotilla: perCall("socket"), target: "" },
      { ...alone, name: "the same through the control plane: added", unit: "ms", flotilla: added, target: "≤ 5", samples },
      {
        ...alone,
        name: "memory, control plane (resident)",
        unit: "MiB",
        flotilla: controlPlaneBytes(product.dir) / MIB,
        target: "≤ 400 MB",
      },
    ];
  } finally {
    agent.destroy();
    await product.close();
  }
};

async function makeContainers(product: Awaited<ReturnType<typeof startProduct>>): Promise<void> {
  const tar = await makeBusyboxTar(product.dir);
  const steps = [
    ["import", "--change", 'CMD ["sh"]', tar, "busybox:latest"],
    ...Array.from({ length: CONTAINERS }, (_, at) => ["create", "--name", `bench-proxy-${at}`, "busybox"]),
  ];
  for (const args of steps) {
    const { exitCode, stderr } = await product.docker(args);
    if (exitCode !== 0) throw new Error(`docker ${args.join(" ")}: ${stderr}`);
  }
}

function get(options: RequestOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    request(options, (response) => {
      text(response).then((body) => {
        const count = response.statusCode === 200 ? (JSON.parse(body) as unknown[]).length : 0;
        if (count === CONTAINERS) resolve();
        else reject(new Error(`${options.path} answered ${response.statusCode}: ${body.slice(0, 300)}`));
      }, reject);
    })
      .on("error", reject)
      .end();
  });
}

/** Resident bytes of the control plane that works below a directory. */
function controlPlaneBytes(dir: string): number {
  for (const name of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
    try {
      if (!readFileSync(`/proc/${name}/cmdline`, "utf8").includes("apps/control/src/server/main.ts")) continue;
      if (!readFileSync(`/proc/${name}/environ`, "utf8").includes(dir)) continue;
      return residentSetBytes(Number(name));
    } catch {
      // It ended while we looked.
    }
  }
  return Number.NaN;
}
