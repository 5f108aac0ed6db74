import { silentLogger } from "@flotilla/core";
import { expect, test } from "vitest";
import type { Containers, ContainerView, HealthView } from "../engine/containers-port.ts";
import { EventBus } from "../events/bus.ts";
import { HealthMonitor } from "./health-monitor.ts";

const MS = 1e6;

function setup(exitCodes: number[], status = "running") {
  const events = new EventBus();
  const view = {
    id: "c1",
    namespace: "default",
    name: "web",
    image: "i",
    labels: {},
    status,
    startedAtMs: 0,
    config: { Healthcheck: { Test: ["CMD", "check"], Interval: MS, Retries: 2 } },
    health: undefined as HealthView | undefined,
  };
  const containers = {
    views: () => [view as unknown as ContainerView],
    setHealth: (_id: string, health: HealthView) => {
      view.health = health;
    },
  } as unknown as Containers;
  let probes = 0;
  const probe = async () => ({ exitCode: exitCodes[Math.min(probes++, exitCodes.length - 1)] ?? 0, output: "" });
  const monitor = new HealthMonitor({ containers, events, probe, logger: silentLogger, nowMs: Date.now });
  const actions = (): string[] => events.history().map((event) => event.action);
  const publish = (action: string): void => void events.publish({ namespace: "default", type: "container", action, id: "c1" });
  return { view, monitor, actions, publish, probes: () => probes };
}

test("a container that runs already is probed, and each change of its health is an event", async () => {
  const { view, monitor, actions } = setup([0, 1, 1, 0]);
  await expect.poll(actions).toEqual(["health_status: healthy", "health_status: unhealthy", "health_status: healthy"]);
  monitor.close();
  expect(view.health).toMatchObject({ Status: "healthy", FailingStreak: 0 });
});

test("probing begins with the start and ends with the end", async () => {
  const { monitor, publish, probes, view } = setup([0], "exited");
  publish("create");
  view.status = "running";
  publish("start");
  await expect.poll(probes).toBeGreaterThan(2);
  publish("die");
  const seen = probes();
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(probes()).toBeLessThanOrEqual(seen + 1);
  monitor.close();
});
