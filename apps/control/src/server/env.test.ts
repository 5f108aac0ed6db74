import { describe, expect, test } from "vitest";
import { readControlConfig } from "./env.ts";

describe("readControlConfig", () => {
  test("without any variable it listens on loopback only", () => {
    expect(readControlConfig({})).toMatchObject({
      dataDir: "/var/lib/flotilla/control",
      listen: { host: "127.0.0.1", port: 7420 },
      publicUrl: "http://127.0.0.1:7420",
    });
  });

  test("an address of the network needs TLS, or a proxy that the operator names", () => {
    expect(() => readControlConfig({ FLOTILLA_LISTEN: "0.0.0.0:7420" })).toThrow("not loopback");
    expect(readControlConfig({ FLOTILLA_LISTEN: "0.0.0.0:7420", FLOTILLA_BEHIND_PROXY: "1" }).isBehindProxy).toBe(true);
    expect(readControlConfig({ FLOTILLA_LISTEN: "[::]:1", FLOTILLA_TLS_CERT: "/c", FLOTILLA_TLS_KEY: "/k" }).publicUrl).toBe(
      "https://127.0.0.1:1",
    );
  });

  test("other control planes reach this one where it listens, unless it is said otherwise", () => {
    expect(readControlConfig({}).peerUrl).toBeUndefined();
    for (const url of ["https://10.0.0.5:7420", "http://127.0.0.1:7421", "http://[::1]:7421"])
      expect(readControlConfig({ FLOTILLA_PEER_URL: url }).peerUrl).toBe(url);
  });

  test("a token makes a hundred calls a second, unless it is said otherwise", () => {
    expect(readControlConfig({}).apiRate).toBe(100);
    expect(readControlConfig({ FLOTILLA_API_RATE: "0" }).apiRate).toBe(0);
    expect(readControlConfig({}).streams).toEqual({ perPerson: 300, perProcess: 5_000 });
    expect(readControlConfig({ FLOTILLA_STREAMS: "0", FLOTILLA_STREAMS_PER_PERSON: "9" }).streams).toEqual({ perPerson: 9, perProcess: 0 });
    expect(() => readControlConfig({ FLOTILLA_STREAMS: "-1" })).toThrow("FLOTILLA_STREAMS: must be a number of streams");
    expect(() => readControlConfig({ FLOTILLA_API_RATE: "many" })).toThrow("FLOTILLA_API_RATE: must be a number of calls a second");
  });

  test("subnets of overlay networks come from a pool of one's own", () => {
    expect(readControlConfig({ FLOTILLA_OVERLAY_POOL: "10.200.0.0/16" }).overlayPool).toBe("10.200.0.0/16");
    expect(readControlConfig({}).overlayPool).toBeUndefined();
  });

  test.each([
    { FLOTILLA_LISTEN: "7420" },
    { FLOTILLA_LISTEN: "127.0.0.1:99999" },
    { FLOTILLA_DATA: "relative" },
    { FLOTILLA_LOG: "loud" },
    { FLOTILLA_URL: "flotilla.example.org" },
    { FLOTILLA_URL: "https://x/path" },
    { FLOTILLA_PEER_URL: "10.0.0.5:7420" },
    { FLOTILLA_PEER_URL: "http://10.0.0.5:7420" },
    { FLOTILLA_TLS_CERT: "/c" },
    { FLOTILLA_ADMIN_EMAIL: "a@b.c" },
    { FLOTILLA_ADMIN_TOKEN: "flt_short" },
    { FLOTILLA_OVERLAY_POOL: "10.200.0.1/16" },
    { FLOTILLA_OVERLAY_POOL: "8.8.0.0/16" },
    { FLOTILLA_OVERLAY_POOL: "10.200.0.0/24" },
    { FLOTILLA_OVERLAY_POOL: "fd00::/16" },
    { FLOTILLA_ADMIN_TOKEN: `other_${"x".repeat(40)}` },
  ])("%j is refused", (env) => expect(() => readControlConfig(env)).toThrow());
});
