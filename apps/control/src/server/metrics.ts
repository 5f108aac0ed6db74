export type MetricsSource = { connectedHosts: () => number; openTerminals: () => number; openStreams: () => number };

type Metric = { name: string; help: string; type: "gauge" | "counter"; value: number };

/** Prometheus text format, version 0.0.4. */
export function formatMetrics(source: MetricsSource): string {
  const memory = process.memoryUsage();
  const cpu = process.cpuUsage();
  const metrics: Metric[] = [
    { name: "flotilla_connected_hosts", help: "Hosts whose agent is connected.", type: "gauge", value: source.connectedHosts() },
    { name: "flotilla_open_terminals", help: "Terminal sessions, viewed or not.", type: "gauge", value: source.openTerminals() },
    {
      name: "flotilla_guarded_streams",
      help: "Open calls and sockets that are re-authorised.",
      type: "gauge",
      value: source.openStreams(),
    },
    { name: "process_resident_memory_bytes", help: "Resident memory.", type: "gauge", value: memory.rss },
    { name: "process_heap_used_bytes", help: "JavaScript heap in use.", type: "gauge", value: memory.heapUsed },
    { name: "process_cpu_seconds_total", help: "CPU time, user and system.", type: "counter", value: (cpu.user + cpu.system) / 1e6 },
    { name: "process_uptime_seconds", help: "Time since the start.", type: "gauge", value: process.uptime() },
  ];
  return metrics.map(({ name, help, type, value }) => `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${name} ${value}\n`).join("");
}
