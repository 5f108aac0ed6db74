import type { Logger } from "@flotilla/core";
import type { PrismaClient } from "@flotilla/db";
import type { HostLinks } from "./engine/host-links.ts";
import type { ShortCache } from "./access/short-cache.ts";
import type { RefusalLog } from "./audit/refusal-log.ts";

/** Hashes and checks passwords (better-auth's, so that accounts made here can sign in there). */
export type Passwords = { hash(password: string): Promise<string> };

/** What every use case works with; made once by the composition root. */
export type ServiceContext = {
  prisma: PrismaClient;
  links: HostLinks;
  passwords: Passwords;
  refusals: RefusalLog;
  /** Answers about tokens and hosts; cleared by whatever changes one of them. */
  cache: ShortCache;
  logger: Logger;
  nowMs: () => number;
  version: string;
  /** Where people reach this control plane, such as `http://127.0.0.1:7420`, without a slash at the end. */
  publicUrl: string;
  /** base64url of the control plane's Ed25519 public key: part of every join token. */
  serverKey: string;
};
