export { type DatabaseCopy, databaseCopy, exportTables, importTables } from "./copy-tables.ts";
export { isDatabaseAway } from "./database-away.ts";
export type { ListenOptions } from "./listen.ts";
export { migrate, type MigrationReport } from "./migrate.ts";
export { openDatabase, type ControlDatabase, type ConnectionOptions, type Transaction } from "./open-database.ts";
export { Prisma, PrismaClient } from "./generated/prisma/client.ts";
export type {
  ApiToken,
  AuditRow,
  GuardRail,
  Host,
  HostGrant,
  HostObserved,
  HostState,
  Invitation,
  JoinToken,
  Membership,
  OverlayLease,
  OverlayNetwork,
  RegistryCleanup,
  RegistryManifest,
  RegistryRepository,
  RegistryTag,
  RegistryUpload,
  RegistryUpstream,
  Stack,
  StackAddress,
  StackDeployment,
  StackReplica,
  StackRevision,
  StackService,
  StackVolume,
  Team,
  User,
  Webhook,
  WebhookDelivery,
} from "./generated/prisma/client.ts";
