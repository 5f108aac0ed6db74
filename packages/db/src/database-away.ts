/** Prisma's codes: unreachable, timed out, closed, no free connection in time. */
const PRISMA = new Set(["P1001", "P1002", "P1008", "P1017", "P2024"]);
/** Of sockets, and of a Postgres that starts or stops (class 57P). */
const SYSTEM = new Set(["ECONNREFUSED", "ECONNRESET", "EPIPE", "ENOENT", "ETIMEDOUT", "57P01", "57P02", "57P03"]);
const WORDS =
  /Can't reach database server|Server has closed the connection|Connection terminated|timeout exceeded when trying to connect|Unable to start a transaction in the given time/;
const MAX_DEPTH = 5;

/** Whether an error of a query says that Postgres cannot be reached at the moment, rather than that the query is wrong. */
export function isDatabaseAway(error: unknown): boolean {
  let current = error;
  for (let depth = 0; depth < MAX_DEPTH && typeof current === "object" && current !== null; depth += 1) {
    const { name, code, message, cause } = current as { name?: unknown; code?: unknown; message?: unknown; cause?: unknown };
    // Errors of the driver pass through Prisma under their own plain name, with its version added.
    const isOfPrisma = "clientVersion" in current || (typeof name === "string" && /^(Prisma|DriverAdapter)/.test(name));
    if (typeof code === "string" && PRISMA.has(code)) return true;
    if (typeof message === "string" && (WORDS.test(message) || (isOfPrisma && [...SYSTEM].some((word) => message.includes(word)))))
      return true;
    current = cause;
  }
  return false;
}
