import { describe, expect, test } from "vitest";
import { deliveryState, prettyJson, readWebhookForm, toWebhookForm, type WebhookForm, type WebhookRow } from "./webhook-form.ts";

const FORM: WebhookForm = {
  name: "pager",
  url: "https://hooks.example.test/a?b=c",
  events: ["host.down"],
  others: "",
  allowsPrivate: false,
};
const read = (change: Partial<WebhookForm>): unknown => readWebhookForm({ ...FORM, ...change });

describe("a webhook as people write it", () => {
  test("is sent as it is chosen, each event once", () => {
    expect(read({ name: " pager ", others: "audit.container.remove,  host.down\nstack.*" })).toEqual({
      input: {
        name: "pager",
        url: "https://hooks.example.test/a?b=c",
        events: ["host.down", "audit.container.remove", "stack.*"],
        allowsPrivate: false,
      },
    });
  });

  test("comes back as it was made, with boxes for the events that have one", () => {
    const row: WebhookRow = {
      id: "w1",
      name: "pager",
      url: FORM.url,
      events: ["audit.team.remove", "host.down", "audit.*"],
      isEnabled: true,
      allowsPrivate: true,
      createdAt: "2026-11-26T00:00:00Z",
    };
    expect(toWebhookForm(row)).toEqual({ ...FORM, events: ["host.down", "audit.*"], others: "audit.team.remove", allowsPrivate: true });
  });

  test.each(["", "hooks.example.test", "http://hooks.example.test", "ftp://x.test", "https://user:secret@x.test", "https://"])(
    "%j is no address",
    (url) => expect(read({ url })).toEqual({ wrong: "url" }),
  );

  test("plain HTTP goes where an administrator allows addresses that are not public", () => {
    expect(read({ url: "http://10.0.0.1:8080/", allowsPrivate: true })).toMatchObject({ input: { url: "http://10.0.0.1:8080/" } });
  });

  test("a name and an event are needed, and events look like events", () => {
    expect(read({ name: " " })).toEqual({ wrong: "name" });
    expect(read({ events: [] })).toEqual({ wrong: "events" });
    for (const others of ["Host.down", "host.down!", "a.b.c.d", "*"]) expect(read({ others })).toEqual({ wrong: "events" });
    expect(read({ events: [], others: "audit.*" })).toMatchObject({ input: { events: ["audit.*"] } });
  });
});

test("a delivery that failed once is told from one that nobody tried", () => {
  expect(deliveryState({ state: "waiting", attempts: 0 })).toBe("waiting");
  expect(deliveryState({ state: "waiting", attempts: 2 })).toBe("retrying");
  expect(deliveryState({ state: "delivered", attempts: 1 })).toBe("delivered");
  expect(deliveryState({ state: "failed", attempts: 8 })).toBe("failed");
});

test("what is JSON is indented, the rest stays", () => {
  expect(prettyJson('{"a":1}')).toBe('{\n  "a": 1\n}');
  expect(prettyJson("<html>")).toBe("<html>");
});
