import type { Reason } from "./reason.ts";

/** `kind` says what of a host is compared; `label` only of labels. Values are compared without regard to case, as Swarm does. */
export type Constraint = {
  kind: "label" | "hostname" | "id" | "os" | "architecture";
  label: string;
  operator: "==" | "!=";
  value: string;
};

/** `cordon` takes nothing new; `drain` shall have nothing. */
export type HostAvailability = "active" | "cordon" | "drain";

export type ScheduleHost = {
  id: string;
  name: string;
  labels: Readonly<Record<string, string>>;
  os: string;
  architecture: string;
  availability: HostAvailability;
  isDown: boolean;
  /** Thousandths of a CPU; null: not known, so no limit. */
  cpuMillis: number | null;
  memoryBytes: number | null;
  /** Host ports, such as `80/tcp`, that are taken by something that is no replica. */
  ports: readonly string[];
  /** Images it has, by the names by which services ask for them. */
  images: readonly string[];
  /** Of a host that another team shares; absent: the team's own. */
  share?: HostShare;
};

/** What a grant lends of a host. CPUs and memory are the host's own fields, smaller where the grant says so. */
export type HostShare = {
  /** Whether replicas may be made and taken away there. */
  mayRun: boolean;
  /** Most containers; null: any number. */
  maxReplicas: number | null;
  /** Ranges of ports that may be published; null: all. */
  ports: readonly (readonly [from: number, to: number])[] | null;
};

/** What every replica of a service asks of its host. */
export type ServiceDemand = {
  id: string;
  name: string;
  constraints: readonly Constraint[];
  /** Labels whose values its replicas are spread over, most important first. */
  preferences: readonly string[];
  /** `spread`: as few on one host as can be. `binpack`: as few hosts as can be. */
  strategy: "spread" | "binpack";
  /** At most so many on one host; null: any number. */
  maxPerHost: number | null;
  /** Reservations; 0 is none. */
  cpuMillis: number;
  memoryBytes: number;
  hostPorts: readonly string[];
  /** Named volumes: where one lives already, all replicas of its services have to be. */
  volumes: readonly string[];
  image: string;
  /** It is in a network over several hosts, which reach the hosts of its team only. */
  needsNetworks: boolean;
};

/** A replica that is on a host. One that is leaving holds what it holds, but does not count as one of its service's. */
export type PlacedReplica = { serviceId: string; hostId: string; isLeaving: boolean };

/** A replica that needs a host. `hostId` set: that one and no other (global services). */
export type WantedReplica = { serviceId: string; slot: string; hostId?: string };

export type ScheduleInput = {
  hosts: readonly ScheduleHost[];
  services: readonly ServiceDemand[];
  placed: readonly PlacedReplica[];
  /** Where volumes live, by name: ids of hosts. */
  volumes: ReadonlyMap<string, readonly string[]>;
  wanted: readonly WantedReplica[];
};

export type Placement = { serviceId: string; slot: string; hostId: string; because: Reason };
/** A replica that no host takes: `3 hosts: 1 is drained, 2 lack label disk=ssd`. */
export type Unplaced = { serviceId: string; slot: string; reason: Reason };
export type ScheduleResult = { placements: Placement[]; unplaced: Unplaced[] };
