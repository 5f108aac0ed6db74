import { expect, test } from "vitest";
import { isDatabaseAway } from "./database-away.ts";

const named = (name: string, more: { code?: string; message?: string; cause?: unknown }): Error =>
  Object.assign(new Error(more.message ?? ""), { name, ...more });

test.each([
  [named("PrismaClientKnownRequestError", { code: "P1001" }), true],
  [named("PrismaClientUnknownRequestError", { message: "connect ECONNREFUSED 127.0.0.1:5432" }), true],
  [named("Error", { cause: named("DriverAdapterError", { message: "Connection terminated unexpectedly" }) }), true],
  [
    named("PrismaClientKnownRequestError", {
      code: "P2028",
      message: "Transaction API error: Unable to start a transaction in the given time.",
    }),
    true,
  ],
  [named("PrismaClientKnownRequestError", { code: "P2028", message: "Transaction API error: Transaction already closed" }), false],
  [named("PrismaClientKnownRequestError", { code: "P2002" }), false],
  [named("Error", { code: "ECONNREFUSED", message: "connect ECONNREFUSED" }), false],
  [new Error("Connection terminated unexpectedly"), true],
  ["text", false],
  [undefined, false],
])("%o: %s", (error, isAway) => expect(isDatabaseAway(error)).toBe(isAway));
