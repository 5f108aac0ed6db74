import { HostConfig } from "@flotilla/engine-api";
import { describe, expect, test } from "vitest";
import type { PortBinding } from "../engine/ports.ts";
import { assertRoom, assertWithin, choosePorts } from "./limits.ts";

const none = HostConfig.parse({});
const port = (hostPort: number, hostPortEnd?: number): PortBinding => ({
  containerPort: 80,
  protocol: "tcp",
  hostIp: "",
  hostPort,
  ...(hostPortEnd === undefined ? {} : { hostPortEnd }),
});

describe("room for one more container", () => {
  test("is there below the limit and without one", () => {
    expect(() => assertRoom({ containers: 3 }, "shop", 2)).not.toThrow();
    expect(() => assertRoom({}, "shop", 1_000)).not.toThrow();
  });

  test("is refused at the limit, in words that say what to do", () => {
    expect(() => assertRoom({ containers: 3 }, "shop", 3)).toThrow(
      /^shop has 3 containers, of 3 that it may have on this host: remove one/,
    );
    expect(() => assertRoom({ containers: 0 }, "shop", 0)).toThrow(expect.objectContaining({ code: "conflict" }));
  });
});

describe("one container of a namespace", () => {
  test.each([
    [{ Memory: 2 ** 30 }, { memoryBytes: 2 ** 29 }, /more than the 536870912/],
    [{ NanoCpus: 3e9 }, { cpus: 2 }, /3 CPUs are more than the 2/],
    [{ CpuQuota: 250_000 }, { cpus: 2 }, /2.5 CPUs/],
    [{ CpuQuota: 100_000, CpuPeriod: 10_000 }, { cpus: 2 }, /10 CPUs/],
  ])("asks for more than all of it: %j of %j", (asked, limits, words) => {
    expect(() => assertWithin(limits, HostConfig.parse(asked), [])).toThrow(words);
    expect(() => assertWithin({}, HostConfig.parse(asked), [])).not.toThrow();
  });

  test("may ask for just as much", () => {
    expect(() => assertWithin({ cpus: 2, memoryBytes: 2 ** 30 }, HostConfig.parse({ NanoCpus: 2e9, Memory: 2 ** 30 }), [])).not.toThrow();
  });

  test.each([
    [port(80), [], /the namespace may publish none/],
    [port(0), [], /publishing a port of this host/],
    [port(80), [[8000, 8100]], /port 80 of this host is not allowed: the namespace may publish 8000-8100/],
    [port(8090, 8110), [[8000, 8100]], /port 8090-8110/],
    [port(8050, 8060), [[8000, 8055], [8056, 8100]], /8000-8055, 8056-8100/], // prettier-ignore
  ] as [PortBinding, [number, number][], RegExp][])("publishes %j of %j", (asked, hostPorts, words) => {
    expect(() => assertWithin({ hostPorts }, none, [asked])).toThrow(words);
  });

  test.each([[port(8000)], [port(8100)], [port(8010, 8020)], [port(0)]])("may publish %j of 8000-8100", (asked) => {
    expect(() => assertWithin({ hostPorts: [[8000, 8100]] }, none, [asked])).not.toThrow();
  });
});

describe("ports that the engine chooses", () => {
  test("come from the widest range", () => {
    const hostPorts: [number, number][] = [
      [80, 80],
      [8000, 8100],
      [443, 444],
    ];
    expect(choosePorts({ hostPorts }, [port(0), port(443)])).toEqual([port(8000, 8100), port(443)]);
    expect(choosePorts({ hostPorts: [[80, 80]] }, [port(0)])).toEqual([port(80)]);
  });

  test("are any where there is no limit", () => {
    expect(choosePorts({}, [port(0)])).toEqual([port(0)]);
  });
});
