import { HOST_USE, type HostUse, MAX_USE_IMAGES, REPLICA_LABEL } from "@flotilla/protocol";
import type { ContainerView } from "../engine/containers-port.ts";
import type { EventBus } from "../events/bus.ts";
import type { ObservedPublisher } from "../state/observed-state.ts";
import type { Timer } from "../state/timer.ts";

/** What comes within this time is told at once: a project that starts is many events. */
const SETTLE_MS = 200;

export type HostUseDeps = {
  views: () => ContainerView[];
  /** Canonical names, the newest first. */
  images: (limit: number) => HostUse["images"];
  events: Pick<EventBus, "subscribe">;
  observed: ObservedPublisher;
  timer: Timer;
};

/** Tells which images this host has and which of its ports are taken, now and whenever that may have changed. Returns the function that ends it. */
export function reportHostUse({ views, images, events, observed, timer }: HostUseDeps): () => void {
  let cancel: (() => void) | undefined;
  const tell = (): void => {
    cancel = undefined;
    observed.set(HOST_USE, { images: images(MAX_USE_IMAGES), ports: portsTaken(views()) } satisfies HostUse);
  };
  const unsubscribe = events.subscribe(({ type, action }) => {
    if (type === "image" || (type === "container" && CHANGES.has(action))) cancel ??= timer.after(SETTLE_MS, tell);
  });
  tell();
  return () => {
    unsubscribe();
    cancel?.();
  };
}

const CHANGES = new Set(["start", "die", "destroy"]);

/** Ports that containers of nobody's service hold, each once and in order. Pure. */
export function portsTaken(views: readonly Pick<ContainerView, "status" | "labels" | "hostConfig">[]): string[] {
  const taken = new Set<string>();
  for (const { status, labels, hostConfig } of views) {
    if (REPLICA_LABEL in labels || !["running", "paused", "restarting"].includes(status)) continue;
    for (const [port, bindings] of Object.entries(hostConfig.PortBindings ?? {})) {
      const protocol = port.split("/")[1] ?? "tcp";
      for (const { HostPort = "" } of bindings ?? []) if (/^\d{1,5}$/.test(HostPort)) taken.add(`${HostPort}/${protocol}`);
    }
  }
  return [...taken].toSorted();
}
