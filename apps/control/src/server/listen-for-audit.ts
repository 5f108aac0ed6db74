import { toFlotillaError } from "@flotilla/core";
import type { ControlDatabase } from "@flotilla/db";
import { type LiveFeed, pruneAudit, sealAudit, type ServiceContext } from "@flotilla/services";

const PRUNE_INTERVAL_MS = 3_600_000;

export type AuditListening = {
  services: ServiceContext;
  live: LiveFeed;
  /** Rows are kept for so many days; undefined keeps them all. */
  keepDays: number | undefined;
};

/**
 * Hears of every row of the audit that was committed, whoever wrote it: open pages are told, and rows that wait for their
 * seal get it. Removes what is over its age. Returns the function that ends it.
 */
export function listenForAudit(database: ControlDatabase, { services, live, keepDays }: AuditListening): () => Promise<void> {
  let running: Promise<void> | undefined;
  let isWanted = false;
  const tell = (what: string, error: unknown): void => services.logger.warn(what, { error: toFlotillaError(error).message });
  const seal = async (): Promise<void> => {
    while (isWanted) {
      isWanted = false;
      await sealAudit(services).catch((error: unknown) => tell("audit rows could not be sealed", error));
    }
  };
  const wake = (): void => {
    isWanted = true;
    running ??= seal().finally(() => (running = undefined));
  };
  const stop = database.listen({
    channel: "flotilla_audit",
    onPayload: (teamId) => {
      live.publish(teamId, { kind: "activity", action: "recorded" });
      wake();
    },
    onListening: wake,
    onLost: (error) => services.logger.warn("audit notifications were lost for a moment", { error: error.message }),
  });
  const prune = async (days: number): Promise<void> => {
    await pruneAudit(services, days).catch((error: unknown) => tell("old audit rows could not be removed", error));
  };
  const timer = keepDays === undefined ? undefined : setInterval(() => void prune(keepDays), PRUNE_INTERVAL_MS);
  return async () => {
    clearInterval(timer);
    await stop();
    await running;
  };
}
