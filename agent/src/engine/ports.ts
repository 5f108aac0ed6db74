// What the engine needs of its neighbours. storage, volumes, network and runtime implement these; main.ts joins them.
// All errors are FlotillaError; its message is what `docker` prints, so it is worded as Docker words it.
import type { Readable } from "node:stream";

/** Configuration an image gives to its containers (the `config` object of the OCI image configuration). */
export type ImageRunConfig = {
  User?: string;
  ExposedPorts?: Record<string, Record<string, never>>;
  Env?: string[];
  Entrypoint?: string[] | null;
  Cmd?: string[] | null;
  Volumes?: Record<string, Record<string, never>>;
  WorkingDir?: string;
  Labels?: Record<string, string>;
  StopSignal?: string;
  Shell?: string[];
  Healthcheck?: { Test?: string[]; Interval?: number; Timeout?: number; StartPeriod?: number; StartInterval?: number; Retries?: number };
};

export type ResolvedImage = {
  /** `sha256:` + 64 hex: digest of the image configuration. */
  id: string;
  /** The name the caller used, normalised for display (`busybox:latest`), or the id. */
  reference: string;
  config: ImageRunConfig;
  architecture: string;
  os: string;
};

/** Images and the root file systems made from them. */
export type ImageStore = {
  /**
   * A name, id or unambiguous id prefix inside a namespace.
   * @throws not_found `No such image: x:tag` (docker's CLI pulls on it), invalid for a malformed reference.
   */
  resolve(namespace: string, reference: string): ResolvedImage;
  /** A container of the image was made or started. Nothing happens for an image that is gone. */
  markUsed(namespace: string, imageId: string): void;
  /** Makes the writable layer of a container on top of an image. Idempotent; the image's layers stay while it exists. */
  prepareRootfs(containerId: string, imageId: string): Promise<void>;
  /** Mounts it (overlayfs) and returns the path of the merged tree. Idempotent. */
  mountRootfs(containerId: string): Promise<string>;
  /** Path where mountRootfs mounts, whether mounted or not. */
  rootfsPath(containerId: string): string;
  /** Idempotent. */
  unmountRootfs(containerId: string): Promise<void>;
  /** Unmounts and deletes the writable layer. Idempotent. */
  removeRootfs(containerId: string): Promise<void>;
  /** Container ids that have a writable layer: start-up removes those the engine does not know. */
  listRootfs(): string[];
  /** Bytes of the writable layer (SizeRw) and of layer + image (SizeRootFs). */
  rootfsUsage(containerId: string): Promise<{ sizeRwBytes: number; sizeRootBytes: number }>;
  /** `docker diff`: 0 modified, 1 added, 2 deleted. Sorted by path. */
  rootfsChanges(containerId: string): Promise<{ path: string; kind: 0 | 1 | 2 }[]>;
};

export type VolumeMount = { name: string; path: string };

export type VolumeStore = {
  /**
   * Creates a volume, or returns the one of that name. Without a name: anonymous, 64 hex. With containerId it is acquired
   * in the same step, so that a crash leaves no volume that nobody knows.
   */
  create(
    namespace: string,
    request: { name?: string; driver?: string; driverOpts?: Record<string, string>; labels?: Record<string, string>; containerId?: string },
  ): Promise<VolumeMount>;
  /** Host directory of a volume. @throws not_found `get NAME: no such volume`. */
  path(namespace: string, name: string): string;
  /** Marks a volume as used by a container, so that `volume rm` refuses (conflict). Idempotent. */
  acquire(namespace: string, name: string, containerId: string): void;
  /**
   * Drops all marks of a container. Returns the anonymous volumes that nobody uses any more; with removesAnonymous they are
   * removed instead, in one step that a crash cannot cut in two.
   */
  release(namespace: string, containerId: string, options?: { removesAnonymous?: boolean }): string[];
  /** Anonymous volumes of a container are as if they had been given their names: they do not go with it. */
  keep(namespace: string, containerId: string): void;
  remove(namespace: string, name: string, options?: { force?: boolean }): Promise<void>;
  /**
   * First mount of an empty volume: copies the image's content at `path` with owners, modes, xattrs. `path` is one inside
   * `root` (the mounted rootfs), resolved without leaving it.
   */
  copyUp(namespace: string, name: string, source: { root: string; path: string }): Promise<void>;
};

export type PortProtocol = "tcp" | "udp" | "sctp";

/**
 * A published port. hostPort 0 asks for a free one; with hostPortEnd, for the first free one from hostPort to hostPortEnd.
 * hostIp "" is every address; in an Attachment it is "0.0.0.0" then, since only IPv4 is published.
 */
export type PortBinding = { containerPort: number; protocol: PortProtocol; hostIp: string; hostPort: number; hostPortEnd?: number };

export type EndpointRequest = {
  networkName: string;
  aliases: string[];
  /** `container:alias`: names that only this container finds. */
  links?: string[] | undefined;
  ipv4Address?: string | undefined;
  ipv6Address?: string | undefined;
  macAddress?: string | undefined;
};

export type AttachRequest = {
  namespace: string;
  containerId: string;
  hostname: string;
  /** For messages, network inspect and events; the hostname stands in. */
  containerName?: string;
  endpoints: EndpointRequest[];
  ports: PortBinding[];
  /** Resolvers that the container is to use for names outside (`--dns`); without them the host's. */
  dnsServers?: readonly string[];
};

export type Endpoint = {
  networkId: string;
  networkName: string;
  endpointId: string;
  ipv4Address: string;
  prefixLength: number;
  gateway: string;
  /** "" without IPv6. */
  ipv6Address: string;
  prefixLength6: number;
  gateway6: string;
  macAddress: string;
  aliases: string[];
  /** Whether containers of this network find each other by name, at 127.0.0.11. */
  hasNames: boolean;
};

export type Attachment = {
  /** Path of the network namespace for the OCI spec (`linux.namespaces[].path`). */
  netnsPath: string;
  endpoints: Endpoint[];
  /** With real host ports. */
  ports: PortBinding[];
};

/** Bridge networks of each namespace. `host`, `none` and `container:X` need nothing from here but `none`'s empty netns. */
export type NetworkManager = {
  /** Resolves a network by name, id or prefix. "default" and "" are `bridge`. @throws not_found `network x not found`. */
  resolve(namespace: string, nameOrId: string): { id: string; name: string; driver: string };
  /**
   * Creates the container's network namespace with loopback up, and for each endpoint a veth, address, route; publishes
   * ports. All or nothing. Idempotent for the same container: addresses given before are kept.
   * @throws conflict when a host port is taken, before anything is made:
   * `driver failed programming external connectivity on endpoint NAME: Bind for 0.0.0.0:80 failed: port is already allocated`.
   */
  attach(request: AttachRequest): Promise<Attachment>;
  /** Undoes attach: ports, veths, namespace. Idempotent. The addresses are free again. */
  detach(containerId: string): Promise<void>;
  /** After a restart of the agent or of the machine: kernel state as it should be for these containers, and nothing else of this instance. */
  reconcile(running: readonly string[]): Promise<void>;
  /** Takes away what no container uses (idle bridges, an empty table) and lets go of ports and sockets; containers run on. */
  close(): Promise<void>;
  /** Nameservers, searches and options for a container on a bridge: the host's, without loopback resolvers. */
  hostResolvConf(): { nameservers: string[]; searches: string[]; options: string[] };
};

/** User-defined networks: what changes while a container runs. A manager without these has predefined networks only. */
export type NetworkChanges = {
  connect(containerId: string, request: EndpointRequest): Promise<Endpoint>;
  disconnect(containerId: string, networkId: string): Promise<void>;
  /** Others and network inspect then know it by its new name; nothing when it is on no network. */
  renameContainer(containerId: string, name: string): void;
};

/** A tar of a path in a container: what GET /containers/{id}/archive sends. */
export type ArchiveStat = { name: string; size: number; mode: number; mtime: string; linkTarget: string };

export type ArchiveService = {
  /** lstat inside `root`, symlinks resolved inside it. @throws not_found. */
  stat(root: string, path: string): Promise<ArchiveStat>;
  /** Tar stream whose entries start with the basename of `path`. */
  read(root: string, path: string): Promise<{ stat: ArchiveStat; stream: Readable }>;
  /**
   * Extracts a (possibly compressed) tar into the existing directory `path` inside `root`. With `isRootReadOnly` only
   * volumes may be written to. @throws forbidden `container rootfs is marked read-only`.
   */
  write(
    root: string,
    path: string,
    tar: Readable,
    options: { noOverwriteDirNonDir: boolean; copyUidGid: boolean; isRootReadOnly?: boolean },
  ): Promise<void>;
};
