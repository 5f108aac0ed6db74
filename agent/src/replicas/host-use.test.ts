import { REPLICA_LABEL } from "@flotilla/protocol";
import { expect, test } from "vitest";
import { EventBus } from "../events/bus.ts";
import { portsTaken, reportHostUse } from "./host-use.ts";

type View = Parameters<typeof portsTaken>[0][number];

const view = (bindings: object, more: object = {}): View =>
  ({ status: "running", labels: {}, hostConfig: { PortBindings: bindings }, ...more }) as unknown as View;
const on = (port: string): object[] => [{ HostIp: "", HostPort: port }];

test("ports are those of containers that run and are no replicas, each once", () => {
  const views = [
    view({ "80/tcp": on("8080"), "53/udp": on("53") }),
    view({ "81/tcp": on("8080"), "82/tcp": on("") }),
    view({ "80/tcp": on("9000") }, { status: "exited" }),
    view({ "80/tcp": on("9001") }, { labels: { [REPLICA_LABEL]: "r" } }),
    view({ "80/tcp": null }),
  ];
  expect(portsTaken(views)).toEqual(["53/udp", "8080/tcp"]);
});

test("a host tells what it has at once, and anew when something changes, many changes together", () => {
  const told: object[] = [];
  const timers: (() => void)[] = [];
  const events = new EventBus();
  const names = [{ namespace: "default", name: "docker.io/library/web:1" }];
  const stop = reportHostUse({
    views: () => [],
    images: () => [...names],
    events,
    observed: { set: (_key, body) => void told.push(body), remove: () => undefined },
    timer: { after: (_ms, run) => (timers.push(run), () => timers.splice(timers.indexOf(run), 1)) },
  });
  expect(told).toEqual([{ images: names, ports: [] }]);
  names.push({ namespace: "default", name: "docker.io/library/web:2" });
  for (const action of ["pull", "tag"]) events.publish({ namespace: "default", type: "image", action, id: "web:2" });
  events.publish({ namespace: "default", type: "container", action: "exec_start", id: "c" });
  expect(timers).toHaveLength(1);
  timers.pop()?.();
  expect(told.at(-1)).toEqual({ images: names, ports: [] });
  events.publish({ namespace: "default", type: "container", action: "die", id: "c" });
  stop();
  expect(timers).toEqual([]);
});
