import { expect, test } from "vitest";
import { checkReachForm, type ReachForm, toReachInput } from "./reach-form.ts";

const form = (change: Partial<ReachForm> = {}): ReachForm => ({
  from: "h1/web",
  to: "h2/db",
  address: "",
  port: "5432",
  protocol: "tcp",
  ...change,
});

test.each<[Partial<ReachForm>, object]>([
  [{}, {}],
  [{ port: "" }, {}],
  [{ to: "", address: "10.64.0.17" }, {}],
  [{ to: "", address: "fd60::1" }, {}],
  [{ to: "", address: "db.internal" }, {}],
  [{ from: "" }, { from: "choose" }],
  [{ from: "h1/" }, { from: "choose" }],
  [{ to: "h2" }, { to: "choose" }],
  [{ to: "", address: "" }, { address: "address" }],
  [{ to: "", address: "-rf /" }, { address: "address" }],
  [{ port: "0" }, { port: "port" }],
  [{ port: "65536" }, { port: "port" }],
  [{ port: "http" }, { port: "port" }],
])("%j: %j", (change, errors) => expect(checkReachForm(form(change))).toEqual(errors));

test("what is asked", () => {
  expect(toReachInput(form())).toEqual({
    host: "h1",
    id: "web",
    to: { kind: "container", host: "h2", id: "db" },
    port: 5432,
    protocol: "tcp",
  });
  expect(toReachInput(form({ to: "", address: " web ", port: " ", protocol: "udp" }))).toEqual({
    host: "h1",
    id: "web",
    to: { kind: "address", address: "web" },
    port: null,
    protocol: "udp",
  });
});
