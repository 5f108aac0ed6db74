import { PrismaPg } from "@prisma/adapter-pg";
import type { PoolConfig } from "pg";
import { listen, type ListenOptions } from "./listen.ts";
import { type Prisma, PrismaClient } from "./generated/prisma/client.ts";
import { statementNames } from "./statement-names.ts";

/** Where Postgres is: a connection URL, or the directory of its unix socket with a user and password. */
export type ConnectionOptions = { url: string } | { socketDir: string; user: string; password: string; database: string };

export type Transaction = Prisma.TransactionClient;

/** The database of the control plane; `close` ends its connections. */
export type ControlDatabase = {
  prisma: PrismaClient;
  /** Hears NOTIFY of a channel on a connection of its own; returns the function that ends it. */
  listen(options: ListenOptions): () => Promise<void>;
  close(): Promise<void>;
};

/** A query that waits longer than this for a free connection is an error instead of a hung page. */
const CONNECT_TIMEOUT_MS = 10_000;
const POOL_SIZE = 10;

export function toPoolConfig(options: ConnectionOptions): PoolConfig {
  const common = { connectionTimeoutMillis: CONNECT_TIMEOUT_MS, max: POOL_SIZE, application_name: "flotilla" };
  if ("url" in options) return { ...common, connectionString: options.url };
  const { socketDir, user, password, database } = options;
  return { ...common, host: socketDir, user, password, database };
}

/** Opens the Prisma client; connections are made when first needed. */
export function openDatabase(options: ConnectionOptions): ControlDatabase {
  const adapter = new PrismaPg(toPoolConfig(options), { statementNameGenerator: statementNames() });
  const prisma = new PrismaClient({ adapter });
  return { prisma, listen: (listenOptions) => listen(toPoolConfig(options), listenOptions), close: () => prisma.$disconnect() };
}
