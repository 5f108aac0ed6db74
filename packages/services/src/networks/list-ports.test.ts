import { ContainerSummary } from "@flotilla/engine-api";
import { expect, test } from "vitest";
import { describePorts, describeServicePorts } from "./list-ports.ts";

const underlays = new Map([["a", "10.9.0.1"], ["b", null]]); // prettier-ignore
const container = (host: string, name: string, ports: object[], more: object = {}) => ({
  ...ContainerSummary.parse({ Id: `${name}0123456789`, Names: [`/${name}`], State: "running", Ports: ports, ...more }),
  host: { id: host, name: `host-${host}` },
});
const rows = (...containers: ReturnType<typeof container>[]) => describePorts(containers, underlays);

test("published ports of all hosts, by number; what is only exposed is none", () => {
  const found = rows(
    container("b", "db", [{ PrivatePort: 5432, Type: "tcp" }]),
    container("b", "web", [{ IP: "0.0.0.0", PrivatePort: 80, PublicPort: 8080, Type: "tcp" }]),
    container("a", "dns", [{ IP: "192.0.2.7", PrivatePort: 53, PublicPort: 53, Type: "udp" }]),
  );
  expect(found).toMatchObject([
    { host: { id: "a" }, address: "192.0.2.7", port: 53, protocol: "udp", container: "dns", containerPort: 53 },
    { host: { id: "b" }, address: "0.0.0.0", port: 8080, protocol: "tcp", container: "web", containerPort: 80, isRunning: true },
  ]);
});

test.each([
  ["a", "0.0.0.0", "10.9.0.1"],
  ["a", "::", "10.9.0.1"],
  ["b", "0.0.0.0", null],
  ["a", "192.0.2.7", "192.0.2.7"],
  ["a", "127.0.0.1", null],
  ["a", "::1", null],
])("on host %s, bound to %s it is reachable at %s", (host, IP, reachableAt) =>
  expect(rows(container(host, "web", [{ IP, PrivatePort: 80, PublicPort: 80, Type: "tcp" }]))[0]).toMatchObject({ reachableAt }),
);

test("one port of both families is one row, two of one family are two", () => {
  const port = { PrivatePort: 80, PublicPort: 80, Type: "tcp" };
  expect(rows(container("a", "web", [{ IP: "::", ...port }, { IP: "0.0.0.0", ...port }])).map(({ address }) => address)).toEqual(["0.0.0.0"]); // prettier-ignore
  expect(
    rows(
      container("a", "web", [
        { IP: "192.0.2.1", ...port },
        { IP: "192.0.2.2", ...port },
      ]),
    ),
  ).toHaveLength(2);
});

test("the service and stack of a container are named", () => {
  const Labels = { "com.docker.compose.project": "shop", "com.docker.compose.service": "web" };
  const [row] = rows(container("a", "shop-web-1", [{ IP: "", PrivatePort: 80, PublicPort: 80, Type: "tcp" }], { Labels, State: "exited" }));
  expect(row).toMatchObject({ stack: "shop", service: "web", isRunning: false, address: "" });
});

test("a service's port is one of every host, and runs while a backend takes calls", () => {
  const ports = [{ protocol: "tcp" as const, port: 80, targetPort: 80, publishedPort: 8080 }, { protocol: "udp" as const, port: 53, targetPort: 53, publishedPort: null }]; // prettier-ignore
  const names = { stack: "shop", service: "web" };
  const rowsOf = (weights: number[]) =>
    describeServicePorts([{ ports, backends: weights.map((weight) => ({ address: "10.64.0.17", weight })) }], names);
  expect(rowsOf([0, 1])).toEqual([
    {
      host: null,
      containerId: null,
      container: null,
      reachableAt: null,
      ...names,
      address: "",
      port: 8080,
      protocol: "tcp",
      containerPort: 80,
      isRunning: true,
    },
  ]);
  expect([rowsOf([0])[0]?.isRunning, rowsOf([])[0]?.isRunning]).toEqual([false, false]);
});
