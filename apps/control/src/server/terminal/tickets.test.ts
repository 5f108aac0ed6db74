import { describe, expect, test } from "vitest";
import { Tickets } from "./tickets.ts";

describe("tickets", () => {
  test("a ticket is good once", () => {
    const tickets = new Tickets<string>();
    const ticket = tickets.issue("door");
    expect(tickets.redeem(ticket)).toBe("door");
    expect(tickets.redeem(ticket)).toBeUndefined();
    expect(tickets.redeem("guess")).toBeUndefined();
  });

  test("a ticket is good for a minute", () => {
    let now = 0;
    const tickets = new Tickets<string>(() => now);
    const ticket = tickets.issue("door");
    now = 60_000;
    expect(tickets.redeem(ticket)).toBeUndefined();
  });
});
