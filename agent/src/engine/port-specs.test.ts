import { ContainerConfig, HostConfig } from "@flotilla/engine-api";
import { expect, test } from "vitest";
import { planPorts } from "./port-specs.ts";

const plan = (PortBindings: Record<string, unknown>, more: Record<string, unknown> = {}) =>
  planPorts(ContainerConfig.parse({ ExposedPorts: { "80/tcp": {}, "53/udp": {} } }), HostConfig.parse({ PortBindings, ...more }));

test("addresses, protocols, free ports and ranges", () => {
  const wanted = {
    "80/tcp": [
      { HostIp: "127.0.0.1", HostPort: "8080" },
      { HostIp: "0.0.0.0", HostPort: "" },
    ],
    "53/udp": [{ HostPort: "5300-5310" }],
    "9000/tcp": null,
  };
  expect(plan(wanted)).toEqual([
    { containerPort: 80, protocol: "tcp", hostIp: "127.0.0.1", hostPort: 8080 },
    { containerPort: 80, protocol: "tcp", hostIp: "", hostPort: 0 },
    { containerPort: 53, protocol: "udp", hostIp: "", hostPort: 5300, hostPortEnd: 5310 },
    { containerPort: 9000, protocol: "tcp", hostIp: "", hostPort: 0 },
  ]);
});

test("-P publishes what is exposed and not bound already", () => {
  expect(plan({ "80/tcp": [{ HostPort: "8080" }] }, { PublishAllPorts: true }).map((port) => [port.containerPort, port.hostPort])).toEqual([
    [80, 8080],
    [53, 0],
  ]);
});

test.each([
  { "0/tcp": [] },
  { "80/icmp": [] },
  { "80/tcp/x": [] },
  { http: [] },
  { "80/tcp": [{ HostPort: "65536" }] },
  { "80/tcp": [{ HostPort: "20-10" }] },
  { "80/tcp": [{ HostPort: "1-2-3" }] },
  { "80/tcp": [{ HostIp: "example.org", HostPort: "1" }] },
])("%j is refused", (bindings) => {
  expect(() => plan(bindings)).toThrow(/invalid (port specification|IP address)/);
});
