import { ContainerConfig } from "@flotilla/engine-api";
import { expect, test } from "vitest";
import { type Link, linkEnvironment, linkNames, parseContainerLink } from "./links.ts";

const link = (config: Record<string, unknown>, alias = "my-db"): Link => ({
  target: { id: "f".repeat(64), name: "db", config: ContainerConfig.parse({ Hostname: "ffff", ...config }) },
  alias,
  address: "172.17.0.2",
});

test.each([
  ["db:store", { target: "db", alias: "store" }],
  ["db", { target: "db", alias: "db" }],
  ["/db:/web/store", { target: "db", alias: "store" }],
])("%s", (text, expected) => {
  expect(parseContainerLink(text)).toEqual(expected);
});

test.each(["", ":", "db:", "a:b:c"])("%j is no link", (text) => {
  expect(() => parseContainerLink(text)).toThrow("bad format for links");
});

test("variables are Docker's: the first port alone, then each port, the name, and the target's own variables", () => {
  expect(linkEnvironment(link({ ExposedPorts: { "443/tcp": {}, "80/tcp": {} }, Env: ["PATH=/bin", "HOME=/", "A=1"] }), "web")).toEqual([
    "MY_DB_PORT=tcp://172.17.0.2:80",
    "MY_DB_PORT_80_TCP=tcp://172.17.0.2:80",
    "MY_DB_PORT_80_TCP_ADDR=172.17.0.2",
    "MY_DB_PORT_80_TCP_PORT=80",
    "MY_DB_PORT_80_TCP_PROTO=tcp",
    "MY_DB_PORT_443_TCP=tcp://172.17.0.2:443",
    "MY_DB_PORT_443_TCP_ADDR=172.17.0.2",
    "MY_DB_PORT_443_TCP_PORT=443",
    "MY_DB_PORT_443_TCP_PROTO=tcp",
    "MY_DB_NAME=/web/my-db",
    "MY_DB_ENV_A=1",
  ]);
  expect(linkEnvironment(link({}), "web")).toEqual(["MY_DB_NAME=/web/my-db"]);
});

test("the line in the hosts file has each name once", () => {
  expect(linkNames(link({}))).toEqual(["my-db", "ffff", "db"]);
  expect(linkNames(link({}, "db"))).toEqual(["db", "ffff"]);
});
