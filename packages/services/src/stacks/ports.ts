import type { PublishedPort, Service } from "@flotilla/compose";

/** A port of the service's virtual address that every host publishes. */
export function isOverlayPort({ mode, protocol, published }: PublishedPort): boolean {
  return mode === "ingress" && protocol !== "sctp" && published !== undefined;
}

/** Ports that a service takes on every host, such as `80/tcp`. */
export function publishedPorts({ ports }: Service): string[] {
  return ports.filter(isOverlayPort).map(({ published, protocol }) => `${published}/${protocol}`);
}
