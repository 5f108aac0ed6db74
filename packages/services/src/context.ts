import type { Logger } from "@flotilla/core";
import type { Host, PrismaClient, Team, Transaction } from "@flotilla/db";
import type { ResourceBody } from "@flotilla/protocol";
import type { HostLinks } from "./engine/host-links.ts";
import type { HostHistory } from "./hosts/host-history.ts";
import type { ShortCache } from "./access/short-cache.ts";
import type { CallerTickets } from "./networks/caller-tickets.ts";
import type { RefusalLog } from "./audit/refusal-log.ts";
import type { BlobStorage } from "./registry/blob-storage.ts";
import type { UpstreamPulls } from "./registry/upstream/upstream-pulls.ts";

/** Hashes and checks passwords (better-auth's, so that accounts made here can sign in there). */
export type Passwords = { hash(password: string): Promise<string>; verify(password: string, hash: string): Promise<boolean> };

/** What the registry works with beside the database. */
export type RegistryContext = {
  storage: BlobStorage;
  /** HS256 key of the registry's tokens, 32 bytes; kept outside the database. */
  tokenKey: Uint8Array;
  /** AES-256 key of what the database must keep and give back, such as passwords of other registries; kept outside it. */
  sealKey: Uint8Array;
  upstreams: UpstreamPulls;
};

/** What every use case works with; made once by the composition root. */
export type ServiceContext = {
  prisma: PrismaClient;
  links: HostLinks;
  /** The last hour of the hosts that are connected here. */
  history: HostHistory;
  /** What hosts' desired state is made of. */
  composers: readonly HostComposer[];
  passwords: Passwords;
  refusals: RefusalLog;
  /** Who is behind calls that hosts get through the control plane. */
  callers: CallerTickets;
  /** Answers about tokens and hosts; cleared by whatever changes one of them. */
  cache: ShortCache;
  registry: RegistryContext;
  logger: Logger;
  nowMs: () => number;
  version: string;
  /** Where people reach this control plane, such as `http://127.0.0.1:7420`, without a slash at the end. */
  publicUrl: string;
  /** Where overlay networks get subnets that nobody chose; the default one without. */
  overlayPool?: string | undefined;
  /** base64url of the control plane's Ed25519 public key: part of every join token. */
  serverKey: string;
};

/** Hosts of one team that are composed together, and the transaction that holds their states, so that it reads what is newest. */
export type ComposeScene = {
  services: ServiceContext;
  tx: Transaction;
  team: Team;
  hosts: readonly Host[];
  /** What several composers or hosts need is read once for all of them: the same function gives the same answer. */
  once: <T>(read: (scene: ComposeScene) => Promise<T>) => Promise<T>;
};

/** What a composer works with: one of the hosts. */
export type ComposeInput = ComposeScene & { host: Host };

/** Makes the resources of one kind that a host shall have. */
export type HostComposer = {
  /** First part of the keys of its resources. */
  kind: string;
  /**
   * By key below the kind ("" is the kind itself). Must give equal bodies for equal rows: whatever differs is a change that
   * every host is told. What depends on time changes in steps. Whoever changes the rows calls `notifyHostState` in the same
   * transaction.
   */
  compose(input: ComposeInput): Promise<ReadonlyMap<string, ResourceBody>>;
};
