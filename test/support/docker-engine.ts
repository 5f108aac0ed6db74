import type { EngineHandler } from "./linked-agent.ts";

/** An engine with a few objects, which answers as Docker's does: 404 for everything that it does not have. */
export function dockerEngine(containers: readonly Record<string, unknown>[]): EngineHandler {
  const lists: Readonly<Record<string, unknown>> = {
    "/containers/json": containers,
    "/images/json": [
      { Id: `sha256:${"1".repeat(64)}`, RepoTags: ["busybox:latest"], RepoDigests: null, Created: 1, Size: 2, Containers: 0 },
    ],
    "/volumes": { Volumes: [{ Name: "v1", Driver: "local", Mountpoint: "/v1", Scope: "local" }], Warnings: null },
    "/networks": [{ Id: "n1", Name: "bridge", Driver: "bridge", Scope: "local", Internal: false }],
    "/flotilla/v1/images/usage": { images: [] },
  };
  return (stream, headers) => {
    stream.on("error", () => undefined);
    stream.resume();
    const path = (headers[":path"] ?? "").replace(/^\/v1\.\d+/, "").split("?")[0] ?? "";
    const found = headers[":method"] === "GET" ? (lists[path] ?? detail(containers, path)) : undefined;
    const status = found === undefined ? 404 : 200;
    const body = found ?? { message: `No such object: ${path.split("/")[2] ?? ""}` };
    if (path === "/events") {
      stream.respond({ ":status": 200, "content-type": "application/json" });
      return;
    }
    stream.on("end", () => {
      stream.respond({ ":status": status, "content-type": "application/json", "api-version": "1.47" });
      stream.end(JSON.stringify(body));
    });
  };
}

/** What is asked of one container. */
function detail(containers: readonly Record<string, unknown>[], path: string): unknown {
  const [, id = "", what = ""] = /^\/containers\/([^/]+)\/(json|stats)$/.exec(path) ?? [];
  if (!containers.some((row) => row["Id"] === id)) return undefined;
  const state = { Status: "running", Running: true, Pid: 1, ExitCode: 0, StartedAt: "2026-01-01T00:00:00Z" };
  const config = { Image: "busybox:latest", Cmd: ["sleep", "1d"], Env: ["A=1"], Labels: { app: "a0" } };
  const rest = { Config: config, HostConfig: { NetworkMode: "bridge" }, NetworkSettings: { Networks: {} }, Mounts: [] };
  if (what === "json") return { Id: id, Name: "/c", RestartCount: 3, State: state, Image: `sha256:${"1".repeat(64)}`, ...rest };
  const cpu = { cpu_usage: { total_usage: 2_500_000_000 } };
  return { cpu_stats: cpu, memory_stats: { usage: 4_096, limit: 8_192 }, networks: { eth0: { rx_bytes: 10, tx_bytes: 20 } } };
}

/** Rows of `GET /containers/json`. */
export function makeContainers(count: number): Record<string, unknown>[] {
  return Array.from({ length: count }, (_, index) => {
    const id = index.toString(16).padStart(64, "0");
    return {
      Id: id,
      Names: [`/c${index}`],
      Image: "busybox:latest",
      ImageID: `sha256:${"1".repeat(64)}`,
      Command: "sleep 1d",
      Created: 1_700_000_000 + index,
      Ports: [],
      Labels: { app: `a${index % 10}` },
      State: "running",
      Status: "Up 2 hours",
      HostConfig: { NetworkMode: "bridge" },
      NetworkSettings: { Networks: {} },
      Mounts: [],
    };
  });
}
