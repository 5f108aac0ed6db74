import { composeHostStates, CompositionQueue, type HostStateScope, type ServiceContext } from "@flotilla/services";
import type { AgentHub } from "./agent-hub.ts";
import { NetworkReports } from "./network-reports.ts";
import { StateStream } from "./state-stream.ts";

/** How many hosts are looked at at once; those of a team are composed together. */
const WORKERS = 16;
/** Compositions begin at most so often: a stack that starts is many changes. The first one begins at once. */
const DEBOUNCE_MS = 100;
/** Everybody is looked at so often, whatever was or was not notified; also what changes with time is renewed then. */
const SWEEP_MS = 60_000;

/** The streams of state of all connected hosts, and who of them is to be looked at. */
export class StateStreams {
  readonly #hub: AgentHub;
  readonly #services: ServiceContext;
  readonly #compositions: CompositionQueue;
  readonly #streams = new Map<string, StateStream>();
  readonly #waiting = new Set<string>();
  readonly #sweep: NodeJS.Timeout;
  readonly #stopHub: () => void;
  readonly #networks: NetworkReports;
  /** What of a team is worth a moment's wait before its hosts are composed: a deployment is told with the replicas that it leads to, once. */
  beforeTeam: (teamId: string) => Promise<void> = () => Promise.resolve();
  #working = 0;
  /** By the clock that nobody sets. */
  #begunAt = -Infinity;
  #planned: NodeJS.Timeout | undefined;

  constructor(hub: AgentHub, services: ServiceContext) {
    this.#hub = hub;
    this.#services = services;
    this.#compositions = new CompositionQueue((wishes) => composeHostStates(services, wishes));
    this.#networks = new NetworkReports(services);
    this.#stopHub = hub.onChange(({ hostId, kind }) => {
      if (kind === "online") this.#connect(hostId);
      if (kind === "offline") this.#disconnect(hostId);
    });
    this.#sweep = setInterval(() => void this.refresh("all"), SWEEP_MS);
  }

  /** Looks soon at the hosts whose state may have changed. */
  async refresh(scope: HostStateScope): Promise<void> {
    const hosts = await this.#hostsOf(scope);
    if (typeof scope === "object" && "teamId" in scope) await this.beforeTeam(scope.teamId);
    for (const hostId of hosts) if (this.#streams.has(hostId)) this.#waiting.add(hostId);
    if (this.#waiting.size > 0)
      this.#planned ??= setTimeout(() => this.#begin(), Math.max(0, this.#begunAt + DEBOUNCE_MS - performance.now()));
  }

  #begin(): void {
    this.#planned = undefined;
    this.#begunAt = performance.now();
    while (this.#working < WORKERS && this.#waiting.size > 0) void this.#work();
  }

  close(): void {
    clearInterval(this.#sweep);
    clearTimeout(this.#planned);
    this.#stopHub();
    this.#networks.close();
    this.#waiting.clear();
    for (const stream of this.#streams.values()) stream.close();
    this.#streams.clear();
  }

  async #hostsOf(scope: HostStateScope): Promise<Iterable<string>> {
    if (scope === "all") return [...this.#streams.keys()];
    if ("hostId" in scope) return [scope.hostId];
    try {
      const hosts = await this.#services.prisma.host.findMany({ where: { teamId: scope.teamId }, select: { id: true } });
      return hosts.map(({ id }) => id);
    } catch {
      // The database is away: the next sweep finds what this was about.
      return [];
    }
  }

  async #work(): Promise<void> {
    this.#working += 1;
    for (const hostId of this.#waiting) {
      // A change that comes from here on puts it there again.
      this.#waiting.delete(hostId);
      await this.#streams.get(hostId)?.refresh();
    }
    this.#working -= 1;
  }

  #connect(hostId: string): void {
    this.#disconnect(hostId);
    const connection = this.#hub.find(hostId);
    if (connection === undefined) return;
    const onReport = (keys: readonly string[]): void => {
      this.#networks.note(hostId, keys);
      this.#hub.tell({ hostId, kind: "state" });
    };
    this.#streams.set(hostId, new StateStream({ connection, services: this.#services, compositions: this.#compositions, onReport }));
  }

  #disconnect(hostId: string): void {
    this.#streams.get(hostId)?.close();
    this.#streams.delete(hostId);
  }
}
