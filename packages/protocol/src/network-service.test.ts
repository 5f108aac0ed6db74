import { describe, expect, test } from "vitest";
import { resourceKey } from "./desired-state.ts";
import { findServiceContradiction, NETWORK_SERVICE_KIND, networkService, serviceResourceId } from "./network-service.ts";
import { sampleService } from "./sample-network.ts";

test("a service's key is its network's id and its own", () => {
  const key = `${NETWORK_SERVICE_KIND}/${serviceResourceId(sampleService({ id: "x".repeat(100) }))}`;
  expect(resourceKey.parse(key)).toBe(`network-service/${"ab".repeat(32)}/${"x".repeat(100)}`);
});

describe("networkService", () => {
  test("takes what is complete", () => expect(networkService.parse(sampleService())).toEqual(sampleService()));

  test.each([
    ["a network that is none", { networkId: "web" }],
    ["an id that is no part of a key", { id: "a/b" }],
    ["an address that is text", { addresses: ["10.0.0.1; flush ruleset"] }],
    ["three virtual addresses", { addresses: ["10.0.0.1", "10.0.0.2", "10.0.0.3"] }],
    ["a weight that is none", { backends: [{ address: "10.0.0.1", weight: 17 }] }],
    ["port 0", { ports: [{ protocol: "tcp" as const, port: 0, targetPort: 1, publishedPort: null }] }],
  ])("refuses %s", (_, change) => {
    expect(networkService.safeParse({ ...sampleService(), ...change }).success).toBe(false);
  });
});

describe("findServiceContradiction", () => {
  const port = { protocol: "tcp" as const, port: 80, targetPort: 80, publishedPort: 8080 };

  test("finds none in a sound service", () => expect(findServiceContradiction(sampleService())).toBe(undefined));

  test("counts slots", () => {
    const backends = Array.from({ length: 20 }, (_, index) => ({ address: `10.30.1.${index + 1}`, weight: 16 }));
    expect(findServiceContradiction(sampleService({ backends }))).toBe("it has more than 256 slots");
  });

  test("finds ports that are given twice, but not those of two protocols", () => {
    expect(findServiceContradiction(sampleService({ ports: [port, { ...port, publishedPort: null }] }))).toBe("80/tcp is given twice");
    expect(findServiceContradiction(sampleService({ ports: [port, { ...port, port: 81 }] }))).toBe(
      "published port 8080/tcp is given twice",
    );
    expect(findServiceContradiction(sampleService({ ports: [port, { ...port, protocol: "udp" }] }))).toBe(undefined);
  });
});
