import { canonicalIp } from "../host/ip-bytes.ts";
import type { LinkOperation } from "../host/link-operations.ts";
import type { OverlayKernel, RouterStack } from "../host/overlay-kernel.ts";
import { ROUTER_TABLE, UPLINK, vtepMac, VXLAN_LINK } from "./names.ts";
import { LoadedTable, type TableWish } from "./loaded-table.ts";
import { familyOf } from "./prefixes.ts";
import { planChanges, planObjects } from "./router-plan.ts";
import { Shortcut } from "./shortcut.ts";
import { addVxlan } from "./vxlan-device.ts";

/** @property isGathered whether what comes to this host was gathered to larger packets (GRO) on its way to the VXLAN device. */
export type RouterWish = TableWish & { mtuBytes: number; isGathered: boolean };

/** The host's side of things, which is not the router's to know. */
export type RouterDoor = {
  kernel: OverlayKernel;
  /** Performs operations in the host's own namespace. */
  applyOnHost(operations: readonly LinkOperation[]): void;
  hasHostLink(name: string): boolean;
  setHostSysctl(name: string, value: string): boolean;
  /** The kernel will not have the shortcut: packets go through the network stack, all of them. */
  onSlow(reason: string): void;
};

const SYSCTLS: readonly [string, string][] = [
  ["net/ipv4/ip_forward", "1"],
  ["net/ipv6/conf/all/forwarding", "1"],
  ["net/ipv4/conf/all/rp_filter", "0"],
  ["net/ipv4/conf/default/rp_filter", "0"],
  ["net/ipv4/conf/all/send_redirects", "0"],
  ["net/ipv4/conf/default/send_redirects", "0"],
  ["net/ipv6/conf/default/accept_ra", "0"],
];
/** Changes come in bursts, and to close at once after something was removed waits for all processors. */
const LINGER_MS = 1_000;
/** Each has descriptors open. */
const MAX_LINGERING = 16;
const lingering = new Set<Router>();

/**
 * One overlay network on this host. Level-triggered: `apply` compares what is wanted with what the kernel has and changes
 * the difference, so repeating it, and an agent that was killed in the middle of it, do no harm and lose no packet.
 */
export class Router {
  readonly #door: RouterDoor;
  readonly #path: string;
  readonly #shortcut: Shortcut;
  #vxlanIndex = 0;
  /** Whether the namespace is of this very moment, so that nothing has gone through it. */
  #isNew = false;
  #stack: RouterStack | undefined;
  #users = 0;
  #lingering: NodeJS.Timeout | undefined;
  readonly #table = new LoadedTable();
  #isPublishing = false;

  constructor(door: RouterDoor, path: string) {
    this.#door = door;
    this.#path = path;
    this.#shortcut = new Shortcut(door.kernel.programs, (reason) => door.onSlow(reason));
  }

  /** Links, objects and table. One that is new and cannot be completed is not there. @param mayDelete false while it is not known yet that the wish is complete. */
  async apply(wish: RouterWish, mayDelete: boolean): Promise<void> {
    const stack = this.#acquire();
    const isNew = this.#isNew;
    let isDone = false;
    try {
      if (!this.#table.isKnown) prepare(stack);
      this.#ensureUplink(wish, stack);
      await this.#ensureVxlan(wish, stack);
      applyObjects(stack, wish, mayDelete);
      this.#isPublishing = wish.published.length > 0;
      await this.#applyTable(wish, stack);
      isDone = true;
    } finally {
      this.#release();
      if (isNew && !isDone) this.#abandon();
    }
  }

  /** Whether what is wished was applied, all of it, and not doubted since. */
  get isSettled(): boolean {
    return this.#table.isKnown;
  }

  /** Works on the router's namespace now: for the links of endpoints. */
  use<T>(work: (stack: RouterStack) => T, mayLinger = true): T {
    const stack = this.#acquire();
    try {
      return work(stack);
    } finally {
      this.#release(mayLinger);
    }
  }

  /**
   * The table alone: all that a container changes which came or went, or a service. The whole when it is not known what is loaded.
   * @param touched services that may be others than before; without it all are compared.
   */
  async refresh(wish: RouterWish, touched?: Iterable<string>): Promise<void> {
    // The first published port and the last one change routes too.
    if (!this.#table.isKnown || wish.published.length > 0 !== this.#isPublishing) {
      await this.apply(wish, true);
      return;
    }
    const stack = this.#acquire();
    try {
      await this.#applyTable(wish, stack, touched);
    } finally {
      this.#release();
    }
  }

  /** Whether device and table are there: cheap enough to ask every few seconds. */
  isIntact(): boolean {
    if (!this.#door.kernel.hasRouter(this.#path)) return false;
    const isOpen = this.#stack !== undefined;
    return this.use((stack) => stack.findLink(VXLAN_LINK)?.isUp === true && stack.hasTable(ROUTER_TABLE), isOpen);
  }

  /** Forgets what it thinks the kernel has. */
  distrust(): void {
    this.#table.distrust();
    this.#shortcut.distrust();
    // The namespace may be another under the same name.
    this.close();
  }

  /** A container's link is another than before under its name. */
  forgetLink(name: string): void {
    this.#shortcut.forgetLink(name);
  }

  /** Idempotent. Its device and uplink go at once, so that the VNI is free: with the namespace they would in the kernel's own time. */
  remove(): void {
    if (this.#door.kernel.hasRouter(this.#path))
      this.use((stack) => stack.applyLinks([VXLAN_LINK, UPLINK].map((name) => ({ kind: "delete-link", name }))));
    this.#table.distrust();
    this.#shortcut.distrust();
    this.close();
    this.#door.kernel.removeRouter(this.#path);
  }

  /**
   * The end of an agent that may be followed by one of another version, which would not keep the shortcut's tables: packets go through the
   * network stack until there is an agent again.
   */
  retire(): void {
    if (this.#door.kernel.hasRouter(this.#path)) this.use((stack) => stack.detachPrograms(stack.links().map(({ index }) => index)), false);
    this.distrust();
  }

  #abandon(): void {
    try {
      this.remove();
    } catch {
      // Why it could not be made is what its maker hears; what is left, the next one completes.
    }
  }

  /** Lets go of what is open for the next change. */
  close(): void {
    clearTimeout(this.#lingering);
    lingering.delete(this);
    if (this.#users > 0) return;
    this.#stack?.close();
    this.#stack = undefined;
  }

  /** Open only while it is used and a moment after: a host may have a thousand networks, and each costs descriptors. */
  #acquire(): RouterStack {
    clearTimeout(this.#lingering);
    this.#isNew = !this.#door.kernel.hasRouter(this.#path);
    // What is open is of a namespace that somebody has taken away.
    if (this.#isNew) this.close();
    this.#stack ??= this.#door.kernel.openRouter(this.#path);
    this.#users += 1;
    return this.#stack;
  }

  /** @param mayLinger another change may come soon. */
  #release(mayLinger = true): void {
    this.#users -= 1;
    if (this.#users > 0) return;
    if (mayLinger) this.#linger();
    else this.close();
  }

  #linger(): void {
    this.#lingering = setTimeout(() => this.close(), LINGER_MS).unref();
    lingering.delete(this);
    lingering.add(this);
    const [oldest] = lingering;
    if (lingering.size > MAX_LINGERING) oldest?.close();
  }

  #ensureUplink({ uplink, mtuBytes }: RouterWish, stack: RouterStack): void {
    if (uplink === undefined) return;
    const { hostLink } = uplink;
    if (stack.findLink(UPLINK) === undefined || !this.#door.hasHostLink(hostLink)) {
      stack.applyLinks([{ kind: "delete-link", name: UPLINK }]);
      const peer = { name: UPLINK, mac: "02:ee:00:00:00:02", netnsPath: this.#path };
      this.#door.applyOnHost([
        { kind: "delete-link", name: hostLink },
        { kind: "add-veth", name: hostLink, mac: "02:ee:00:00:00:01", master: "", mtuBytes: Math.max(1_500, mtuBytes), peer },
        { kind: "disable-ipv6-autoconfiguration", name: hostLink },
        { kind: "add-address", name: hostLink, address: uplink.hostAddress, prefixLength: 31 },
      ]);
      stack.applyLinks([{ kind: "disable-ipv6-autoconfiguration", name: UPLINK }]);
    }
    this.#door.applyOnHost([{ kind: "set-up", name: hostLink }]);
    stack.applyLinks([{ kind: "set-up", name: UPLINK }]);
    // Makes the kernel note the carrier at once, as in endpoint-link.ts.
    this.#door.hasHostLink(hostLink);
    this.#door.setHostSysctl("net/ipv4/ip_forward", "1");
    // 127.0.0.1:port of the host, as with bridges.
    this.#door.setHostSysctl(`net/ipv4/conf/${hostLink}/route_localnet`, "1");
  }

  async #ensureVxlan({ state, mtuBytes, localAddress, isGathered }: RouterWish, stack: RouterStack): Promise<void> {
    const wanted = { vni: state.vni, localAddress: canonicalIp(localAddress), port: state.vxlanPort };
    const present = stack.findLink(VXLAN_LINK);
    const isOurs = present?.vxlan?.vni === wanted.vni && present.vxlan.port === wanted.port && present.mac === vtepMac(state.self);
    if (present === undefined || !isOurs || familyOf(present.vxlan?.localAddress ?? "") !== familyOf(wanted.localAddress)) {
      stack.applyLinks([{ kind: "delete-link", name: VXLAN_LINK }]);
      await addVxlan((operation) => this.#door.applyOnHost([operation]), {
        kind: "add-vxlan",
        name: VXLAN_LINK,
        ...wanted,
        mac: vtepMac(state.self),
        mtuBytes,
        netnsPath: this.#path,
      });
      stack.applyLinks([{ kind: "disable-ipv6-autoconfiguration", name: VXLAN_LINK }]);
    } else {
      if (present.vxlan?.localAddress !== wanted.localAddress) stack.applyLinks([{ kind: "set-vxlan-local", name: VXLAN_LINK, ...wanted }]);
      if (present.mtuBytes !== mtuBytes) stack.applyLinks([{ kind: "set-mtu", name: VXLAN_LINK, mtuBytes }]);
    }
    // A second look for what could be gathered costs a twelfth of a small packet's way.
    stack.applyLinks([{ kind: "set-receive-offload", name: VXLAN_LINK, isOn: !isGathered }]);
    stack.applyLinks([{ kind: "set-up", name: VXLAN_LINK }]);
    this.#vxlanIndex = stack.findLink(VXLAN_LINK)?.index ?? 0;
  }

  async #applyTable(wish: RouterWish, stack: RouterStack, touched?: Iterable<string>): Promise<void> {
    const step = this.#table.plan(wish, touched);
    this.#shortcut.ensure(
      {
        input: wish,
        vxlanIndex: this.#vxlanIndex,
        mayHaveFlows: !this.#isNew,
        gone: step.services.gone.map(({ service }) => service),
        come: step.services.come.map(({ service }) => service),
      },
      stack,
    );
    await this.#table.apply(step, stack);
  }
}

function prepare(stack: RouterStack): void {
  stack.setSysctls(SYSCTLS);
  stack.applyLinks([{ kind: "set-up", name: "lo" }]);
}

/** Routes to endpoints whose links are there. */
function applyObjects(stack: RouterStack, wish: RouterWish, mayDelete: boolean): void {
  const links = new Set(stack.links().map((link) => link.name));
  const endpoints = wish.endpoints.filter((endpoint) => links.has(endpoint.link));
  stack.applyObjects(planChanges(planObjects({ ...wish, endpoints }), stack.objects(), mayDelete));
}
