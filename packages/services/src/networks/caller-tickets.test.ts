import { expect, test } from "vitest";
import { SYSTEM } from "../access/actor.ts";
import { CallerTickets } from "./caller-tickets.ts";

test("a ticket is of one host and one call", () => {
  const tickets = new CallerTickets(() => 0);
  const { ticket, end } = tickets.issue("h1", SYSTEM);
  expect(tickets.find("h1", ticket)).toBe(SYSTEM);
  expect(tickets.find("h2", ticket)).toBeUndefined();
  expect(tickets.find("h1", "made-up")).toBeUndefined();
  expect(tickets.find("h1", undefined)).toBeUndefined();
  end();
  expect(tickets.find("h1", ticket)).toBeUndefined();
});

test("one that nobody ends is forgotten", () => {
  let nowMs = 0;
  const tickets = new CallerTickets(() => nowMs);
  const { ticket } = tickets.issue("h1", SYSTEM);
  nowMs = 60_001;
  expect(tickets.find("h1", ticket)).toBeUndefined();
  tickets.issue("h1", SYSTEM);
  nowMs = 0;
  expect(tickets.find("h1", ticket)).toBeUndefined();
});
