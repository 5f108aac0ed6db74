import { type Actor, collectMetrics, type Family, formatFamilies, type ServiceContext } from "@flotilla/services";

export type MetricsSource = { connectedHosts: () => number; openTerminals: () => number; openStreams: () => number };

/** Scrapers that come at once, or more often, get the same figures of hosts and containers. */
const KEEP_MS = 10_000;
const MAX_KEPT = 100;

/**
 * `/metrics`: figures of the control plane for administrators of the instance (and a Prometheus on this machine), figures of hosts and
 * containers for tokens of their team.
 */
export class Metrics {
  readonly #services: ServiceContext;
  readonly #source: MetricsSource;
  readonly #kept = new Map<string, { families: Promise<Family[]>; untilMs: number }>();

  constructor(services: ServiceContext, source: MetricsSource) {
    this.#services = services;
    this.#source = source;
  }

  /** @throws forbidden for a token without the rights to see hosts and containers. */
  async format(actor: Actor, isLocal: boolean): Promise<string> {
    const own = isLocal || (actor.kind === "user" && actor.isInstanceAdmin) ? controlFamilies(this.#source) : [];
    return formatFamilies([...own, ...(actor.kind === "user" ? await this.#ofTeam(actor) : [])]);
  }

  #ofTeam(actor: Extract<Actor, { kind: "user" }>): Promise<Family[]> {
    const key = `${actor.credential.kind} ${actor.credential.id} ${actor.team.id}`;
    const now = this.#services.nowMs();
    const found = this.#kept.get(key);
    if (found !== undefined && found.untilMs > now) return found.families;
    if (this.#kept.size >= MAX_KEPT) this.#kept.clear();
    const families = collectMetrics(this.#services, actor);
    this.#kept.set(key, { families, untilMs: now + KEEP_MS });
    families.catch(() => this.#kept.delete(key));
    return families;
  }
}

function controlFamilies(source: MetricsSource): Family[] {
  const memory = process.memoryUsage();
  const cpu = process.cpuUsage();
  const one = (name: string, help: string, value: number): Family => ({ name, help, type: "gauge", samples: [{ labels: {}, value }] });
  const cpuSeconds = one("process_cpu_seconds_total", "CPU time, user and system.", (cpu.user + cpu.system) / 1e6);
  return [
    one("flotilla_connected_hosts", "Hosts whose agent is connected.", source.connectedHosts()),
    one("flotilla_open_terminals", "Terminal sessions, viewed or not.", source.openTerminals()),
    one("flotilla_guarded_streams", "Open calls and sockets that are re-authorised.", source.openStreams()),
    one("process_resident_memory_bytes", "Resident memory.", memory.rss),
    one("process_heap_used_bytes", "JavaScript heap in use.", memory.heapUsed),
    { ...cpuSeconds, type: "counter" },
    one("process_uptime_seconds", "Time since the start.", process.uptime()),
  ];
}
