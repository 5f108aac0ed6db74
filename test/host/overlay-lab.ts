// A small lab for the overlay's data path: hosts, a switch and containers as network namespaces of this process, routers
// driven directly. No agent and no control plane, so it is up in tens of milliseconds. test/lab has whole hosts.
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { z } from "zod";
import { macOfAddress, parseAddress } from "@flotilla/core";
import { networkService, type NetworkService, networkState, type NetworkState } from "@flotilla/protocol";
import { sampleUnderlay, type SharedNetworkState } from "@flotilla/protocol/sample-network";
import type { LinkOperation } from "../../agent/src/host/link-operations.ts";
import { openOverlayKernel, type OverlayKernel } from "../../agent/src/host/overlay-kernel.ts";
import { createNetns, hasNetns, inNetns, removeNetns } from "../../agent/src/host/netns.ts";
import { RouteSocket } from "../../agent/src/host/rtnetlink.ts";
import { run } from "../../agent/src/host/run.ts";
import { openNft } from "../../agent/src/host/nft.ts";
import { ensureEndpointLink } from "../../agent/src/overlay/endpoint-link.ts";
import { containerLink, routerPath, uplinkName } from "../../agent/src/overlay/names.ts";
import { planEndpoint, selfOf } from "../../agent/src/overlay/router-plan.ts";
import { Tunnels } from "../../agent/src/overlay/tunnels.ts";
import { openWireguard } from "../../agent/src/host/wireguard.ts";
import { Database } from "../../agent/src/store/database.ts";
import { embed } from "../../agent/src/overlay/prefixes.ts";
import { Router, type RouterWish } from "../../agent/src/overlay/router.ts";
import { PATIENCE_MS } from "./patience.ts";
import { formatUnderlayTable } from "../../agent/src/overlay/underlay-table.ts";

const PROBE = join(import.meta.dirname, "overlay-probe.ts");
export const INSTANCE = "0e57ab1e";
/** Devices of wireguard-go have one directory of sockets on a machine: their names must differ. */
export const labInstance = (host: number): string => `0e57a${host % 10}1e`;

const Count = z.object({
  sent: z.number(),
  ok: z.number(),
  failed: z.number(),
  reasons: z.record(z.string(), z.number()),
  answers: z.record(z.string(), z.number()),
  worstMs: z.number(),
});
export type Count = z.output<typeof Count>;

export type LabHost = {
  number: number;
  path: string;
  links: RouteSocket;
  routers: Map<number, LabRouter>;
  states: Map<number, NetworkState>;
  tunnels?: Tunnels;
  /** Its clock, for keys. */
  nowMs: number;
};
export type LabRouter = { router: Router; path: string; wish: RouterWish; ends: Map<string, LabContainer> };
export type LabContainer = { path: string; stack: RouteSocket; address: string; address6: string; link: string; position: number };

export class OverlayLab {
  readonly root = mkdtempSync(join(tmpdir(), "flotilla-ov-"));
  readonly hosts: LabHost[] = [];
  readonly #kernel = openOverlayKernel();
  readonly #switch = join(this.root, "switch");
  readonly #children: ChildProcess[] = [];
  readonly #stacks: RouteSocket[] = [];
  readonly #paths: string[] = [];
  #lastEndpoint = 0;

  /** @param family of the underlay. */
  async up(count: number, options: { mtuBytes?: number; family?: 4 | 6 } = {}): Promise<void> {
    const { mtuBytes = 1500 } = options;
    createNetns(this.#switch, () => undefined);
    this.#paths.push(this.#switch);
    await this.ip(this.#switch, ["link add br0 mtu 65535 type bridge mcast_snooping 0", "link set br0 up"]);
    // A switch looks at no addresses, whatever module a Docker on this machine has loaded.
    await this.exec(this.#switch, ["sysctl", "-qew", "net.bridge.bridge-nf-call-iptables=0", "net.bridge.bridge-nf-call-ip6tables=0"]);
    for (let number = 1; number <= count; number += 1) {
      const path = join(this.root, `h${number}`);
      const links = createNetns(path, () => new RouteSocket());
      this.#paths.push(path);
      await this.ip(this.#switch, [
        `link add p${number} mtu ${mtuBytes} type veth peer name eth0 mtu ${mtuBytes} netns ${path}`,
        `link set p${number} master br0 up`,
      ]);
      await this.ip(path, [
        "link set lo up",
        `addr add ${sampleUnderlay(number, 4)}/24 dev eth0`,
        `addr add ${sampleUnderlay(number, 6)}/64 dev eth0 nodad`,
        "link set eth0 up",
      ]);
      this.hosts.push({ number, path, links, routers: new Map(), states: new Map(), nowMs: Date.now() });
    }
  }

  host(number: number): LabHost {
    const host = this.hosts[number - 1];
    if (host === undefined) throw new Error(`no host ${number}`);
    return host;
  }

  router(number: number, vni: number): LabRouter {
    const router = this.host(number).routers.get(vni);
    if (router === undefined) throw new Error(`host ${number} has no network ${vni}`);
    return router;
  }

  /** Gives a network with its services to hosts, or changes it there. */
  async network(state: SharedNetworkState, onHosts: readonly number[], services: readonly NetworkService[] = []): Promise<void> {
    for (const number of onHosts) await this.#networkOn(this.host(number), networkState.parse({ ...state, self: number }), services);
  }

  /** The same for one host that has got another number. */
  async networkAs(onHost: number, state: SharedNetworkState, self: number): Promise<void> {
    await this.#networkOn(this.host(onHost), networkState.parse({ ...state, self }), []);
  }

  async #networkOn(host: LabHost, state: NetworkState, services: readonly NetworkService[]): Promise<void> {
    const present = host.routers.get(state.vni);
    const index = [...host.states.keys()].length;
    host.states.set(state.vni, state);
    await this.nft(host.path, formatUnderlayTable(labInstance(host.number), [...host.states.values()]));
    const path = present?.path ?? routerPath(join(this.root, `run${host.number}`), state.vni);
    const uplink = state.isInternal
      ? undefined
      : (present?.wish.uplink ?? {
          hostLink: uplinkName(INSTANCE, state.vni),
          hostAddress: `169.254.64.${index * 2}`,
          routerAddress: `169.254.64.${index * 2 + 1}`,
        });
    const parsed = services.map((service) => networkService.parse(service));
    const tunnels = await this.#ensureTunnels(host);
    const wish: RouterWish = {
      state,
      localAddress: state.isEncrypted && tunnels !== undefined ? tunnels.address(state) : selfOf(state).underlay,
      services: new Map(parsed.map((service) => [service.id, service])),
      published: parsed.filter((service) => service.ports.some((port) => port.publishedPort !== null)),
      endpoints: present?.wish.endpoints ?? [],
      uplink,
      mtuBytes: state.mtuBytes ?? (state.isEncrypted ? 1370 : 1450),
      ports: present?.wish.ports ?? [],
      isGathered: !state.isEncrypted,
    };
    const router = present?.router ?? this.openRouter(host, path);
    if (present === undefined) this.#paths.push(path);
    host.routers.set(state.vni, { router, path, wish, ends: present?.ends ?? new Map() });
    await router.apply(wish, true);
  }

  /** Tunnels of a host, as its agent has them; makes its first key. */
  async tunnels(number: number): Promise<Tunnels> {
    const host = this.host(number);
    if (host.tunnels === undefined) {
      const wireguard = openWireguard({ directory: join(this.root, `tunnels${number}`), within: ["nsenter", `--net=${host.path}`] });
      host.tunnels = new Tunnels({ db: new Database(":memory:"), wireguard, instance: labInstance(number), nowMs: () => host.nowMs });
      await host.tunnels.open();
    }
    return host.tunnels;
  }

  async #ensureTunnels(host: LabHost): Promise<Tunnels | undefined> {
    await host.tunnels?.ensure([...host.states.values()], () => 1500, false);
    return host.tunnels;
  }

  /** A second one on the same path is what a restarted agent has. @param budget steps after which it is "killed". */
  openRouter(host: LabHost, path: string, budget = Number.POSITIVE_INFINITY): Router {
    let left = budget;
    const spend = (): void => {
      left -= 1;
      if (left < 0) throw new Error("killed");
    };
    const onHost = (operation: LinkOperation): void => {
      spend();
      host.links.apply([operation]);
    };
    return new Router(
      {
        kernel: budget === Number.POSITIVE_INFINITY ? this.#kernel : limited(this.#kernel, spend),
        applyOnHost: (operations) => operations.forEach(onHost),
        hasHostLink: (name) => host.links.findLink(name) !== undefined,
        setHostSysctl: () => true,
        onSlow: (reason) => {
          throw new Error(`no shortcut: ${reason}`);
        },
      },
      path,
    );
  }

  /** A container with an address on a network of a host; on a second network when it is there already. */
  async container(number: number, vni: number, given: { name: string; address: string; position?: number }): Promise<LabContainer> {
    const labRouter = this.router(number, vni);
    const { state, mtuBytes } = labRouter.wish;
    const path = join(this.root, `c-${given.name}`);
    const position = given.position ?? 0;
    const isFresh = !hasNetns(path);
    const stack = (isFresh ? createNetns : inNetns)(path, () => new RouteSocket());
    stack.apply([{ kind: "set-up", name: "lo" }]);
    this.#stacks.push(stack);
    this.#paths.push(path);
    this.#lastEndpoint += 1;
    const address6 = state.subnet6 === null ? "" : embed(state.subnet6, given.address);
    const endpoint = {
      link: containerLink(this.#lastEndpoint),
      address: given.address,
      address6,
      mac: macOfAddress(parseAddress(given.address)),
    };
    const end = { endpoint, position, isDefaultRoute: position === 0, netnsPath: path, mtuBytes };
    labRouter.router.use((router) => {
      ensureEndpointLink(state, end, { router, container: stack, isFresh });
      router.applyObjects(planEndpoint(endpoint).map((object) => ({ verb: "replace", object })));
    });
    labRouter.wish = { ...labRouter.wish, endpoints: [...labRouter.wish.endpoints, endpoint] };
    await labRouter.router.refresh(labRouter.wish);
    const made = { path, stack, address: given.address, address6, link: endpoint.link, position };
    labRouter.ends.set(given.name, made);
    return made;
  }

  /** Starts a server for TCP and UDP inside a namespace and waits until it listens. */
  async serve(path: string, port: number, name: string): Promise<ChildProcess> {
    const { child, lines } = this.#probe(path, ["serve", String(port), name]);
    await lines.next();
    return child;
  }

  /** New connections (or datagrams) without pause while `work` runs; what became of them. */
  async count(
    path: string,
    what: { protocol: "tcp" | "udp"; address: string; port: number },
    work: () => Promise<unknown>,
  ): Promise<Count> {
    const { child, lines } = this.#probe(path, ["count", what.protocol, what.address, String(what.port)]);
    await lines.next();
    await work();
    child.stdin?.end();
    return Count.parse(JSON.parse(String((await lines.next()).value)));
  }

  /** One connection that never pauses; `next` is what it says next: `open …`, `closed …`. */
  async hold(path: string, what: { address: string; port: number }): Promise<{ answer: string; next(): Promise<string> }> {
    const { lines } = this.#probe(path, ["hold", what.address, String(what.port)]);
    const next = async (): Promise<string> => String((await lines.next()).value);
    return { answer: await next(), next };
  }

  #probe(path: string, args: readonly string[]): { child: ChildProcess; lines: AsyncIterator<string> } {
    const child = spawn("nsenter", [`--net=${path}`, process.execPath, PROBE, ...args], { stdio: ["pipe", "pipe", "inherit"] });
    this.#children.push(child);
    return { child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() };
  }

  /** Runs a program inside a namespace; its exit code and output. */
  async exec(path: string, argv: readonly string[], timeoutMs = 20_000): Promise<{ exitCode: number; stdout: string; stderr: string }> {
    const {
      exitCode = -1,
      stdout,
      stderr,
    } = await run({ argv: ["nsenter", `--net=${path}`, ...argv], okExitCodes: Array.from({ length: 256 }, (_, code) => code), timeoutMs });
    return { exitCode, stdout, stderr };
  }

  /** What one TCP connection, or one datagram, is answered; `no answer: WHY`. */
  async ask(path: string, what: { protocol: "tcp" | "udp"; address: string; port: number }, patienceMs = PATIENCE_MS): Promise<string> {
    const { stdout } = await this.exec(path, [
      process.execPath,
      join(import.meta.dirname, "network-probe.ts"),
      "ask",
      what.protocol,
      what.address,
      String(what.port),
      String(patienceMs),
    ]);
    return stdout.trim().replace(/^\? /, "");
  }

  /** Whether pings come back; `size` is the payload, never fragmented. */
  async pings(path: string, address: string, size = 56): Promise<boolean> {
    const argv = ["ping", "-c", "2", "-i", "0.05", "-W", "0.5", "-M", "do", "-s", String(size), address];
    return (await this.exec(path, argv)).exitCode === 0;
  }

  async ip(path: string, lines: readonly string[]): Promise<void> {
    await run({ argv: ["nsenter", `--net=${path}`, "ip", "-batch", "-"], stdin: `${lines.join("\n")}\n` });
  }

  async nft(path: string, text: string): Promise<string> {
    const nft = inNetns(path, openNft);
    try {
      return await nft.apply(text);
    } finally {
      nft.close();
    }
  }

  async close(): Promise<void> {
    for (const child of this.#children) child.kill("SIGKILL");
    const alive = this.#children.filter((child) => child.exitCode === null && child.signalCode === null);
    await Promise.all(alive.map((child) => new Promise((resolve) => child.once("exit", resolve))));
    for (const stack of this.#stacks) stack.close();
    for (const host of this.hosts) {
      for (const { router } of host.routers.values()) router.remove();
      await host.tunnels?.ensure([], () => 1500);
      host.links.close();
    }
    for (const path of this.#paths) removeNetns(path);
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** A kernel whose every single change is one step. */
function limited(kernel: OverlayKernel, spend: () => void): OverlayKernel {
  return {
    ...kernel,
    removeRouter: (path) => {
      spend();
      kernel.removeRouter(path);
    },
    openRouter: (path) => {
      spend();
      const stack = kernel.openRouter(path);
      return {
        ...stack,
        applyLinks: (operations) => operations.forEach((operation) => (spend(), stack.applyLinks([operation]))),
        applyObjects: (changes) => changes.forEach((change) => (spend(), stack.applyObjects([change]))),
        nft: (text) => (spend(), stack.nft(text)),
        changeElements: (table, changes) => (spend(), stack.changeElements(table, changes)),
      };
    },
  };
}
