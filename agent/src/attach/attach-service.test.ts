import { silentLogger } from "@flotilla/core";
import { PassThrough } from "node:stream";
import { describe, expect, test } from "vitest";
import type { Containers, ContainerView, StartHook } from "../engine/containers-port.ts";
import { EventBus } from "../events/bus.ts";
import { AttachService } from "./attach-service.ts";

function setup() {
  const events = new EventBus();
  const hooks = new Set<StartHook>();
  const containers = {
    onBeforeStart: (_id: string, hook: StartHook) => {
      hooks.add(hook);
      return () => hooks.delete(hook);
    },
  } as unknown as Containers;
  const view = {
    id: "c1",
    namespace: "default",
    name: "web",
    image: "i",
    labels: {},
    status: "created",
    attachSocketPath: "/nonexistent/attach",
  } as unknown as ContainerView;
  const service = new AttachService({ containers, events, logger: silentLogger });
  const request = { view, stdin: false, output: { stdout: true, stderr: true }, detachKeys: new Uint8Array() };
  return { events, hooks, view, session: service.prepare(request) };
}

describe("a client of a container that does not run", () => {
  test("is registered for the start before its session runs", () => {
    expect(setup().hooks.size).toBe(1);
  });

  test("is forgotten when it goes before the start", async () => {
    const { hooks, session } = setup();
    const client = new PassThrough();
    const done = session.run(client);
    client.destroy();
    await done;
    expect(hooks.size).toBe(0);
  });

  test("is forgotten when its session never ran", async () => {
    const { hooks, session } = setup();
    session.cancel();
    await new Promise(setImmediate);
    expect(hooks.size).toBe(0);
  });

  test("ends when the container is removed instead", async () => {
    const { events, hooks, session } = setup();
    const done = session.run(new PassThrough());
    events.publish({ namespace: "default", type: "container", action: "destroy", id: "c1" });
    await done;
    expect(hooks.size).toBe(0);
    expect(events.history().map((event) => event.action)).toEqual(["attach", "destroy"]);
  });

  test("does not hold the start up when its console cannot be opened", async () => {
    const { hooks, session, view } = setup();
    const done = session.run(new PassThrough());
    await Promise.all([...hooks].map((hook) => hook(view)));
    await done;
    expect(hooks.size).toBe(0);
  });
});
