import type { Project, PublishedPort, Service } from "../model.ts";

/** Containers of other services that this one is tied to, by service: the engine wants their ids. */
export type Peers = ReadonlyMap<string, { id: string; name: string }>;

export type ContainerScene = {
  project: Project;
  service: Service;
  peers: Peers;
  /** Whether the container itself publishes a port. Over many hosts those of all hosts belong to the service's address. */
  publishes: (port: PublishedPort) => boolean;
  /** Named volumes are made with the container, so it says of what kind they are; otherwise they are there. */
  makesVolumes: boolean;
};
