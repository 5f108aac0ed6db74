import { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { Admission } from "./agent-hub/admission.ts";
import { networkOf } from "./auth/sign-in-guard.ts";
import { forwardHeaders, returnHeaders } from "./docker-proxy/forward-headers.ts";
import { clientAddress } from "./http/client-address.ts";
import { isSameOrigin, requireSameOrigin } from "./http/origin.ts";

function request(headers: Record<string, string>): IncomingMessage {
  const req = new IncomingMessage(new Socket());
  Object.assign(req.headers, headers);
  return req;
}

describe("origin", () => {
  test.each([
    [{ origin: "http://h:1", host: "h:1" }, true],
    [{ origin: "https://h:1", host: "h:1", "sec-fetch-site": "same-origin" }, true],
    [{ host: "h:1", "sec-fetch-site": "same-origin" }, true],
    [{ host: "h:1" }, false],
    [{ origin: "http://h:2", host: "h:1" }, false],
    [{ origin: "http://a.h:1", host: "h:1" }, false],
    [{ origin: "null", host: "h:1" }, false],
    [{ origin: "http://h:1", host: "h:1", "sec-fetch-site": "same-site" }, false],
    [{ origin: "http://h:1", host: "h:1", "sec-fetch-site": "cross-site" }, false],
  ])("%j: same origin is %s", (headers, expected) => expect(isSameOrigin(request(headers as Record<string, string>))).toBe(expected));

  test("a script without cookie and origin is not a browser; with a cookie it must name the origin", () => {
    expect(() => requireSameOrigin(request({ host: "h" }))).not.toThrow();
    expect(() => requireSameOrigin(request({ host: "h", cookie: "a=b" }))).toThrow();
    expect(() => requireSameOrigin(request({ host: "h", authorization: "Bearer x", cookie: "a=b", origin: "http://evil.test" }))).toThrow();
  });
});

test("X-Forwarded-For counts only behind a proxy that the operator named, and only its own entry", () => {
  const req = request({ "x-forwarded-for": "6.6.6.6, 10.0.0.1" });
  expect(clientAddress(req, false)).toBe("");
  expect(clientAddress(req, true)).toBe("10.0.0.1");
});

describe("headers of a proxied call", () => {
  test("what belongs to the connection, to us or to the caller's identity stays here", () => {
    const sent = forwardHeaders({
      connection: "keep-alive, X-Hop",
      "x-hop": "1",
      authorization: "Bearer flt_x",
      cookie: "a=b",
      "x-flotilla-namespace": "other",
      "x-forwarded-for": "1.2.3.4",
      host: "h",
      "transfer-encoding": "chunked",
      "content-type": "application/json",
    });
    expect(sent).toEqual({ "content-type": "application/json" });
    expect(returnHeaders({ "x-flotilla-hijack": "101", "set-cookie": "a=b", "api-version": "1.47" })).toEqual({ "api-version": "1.47" });
  });
});

test("admission is bounded by a burst and a rate", () => {
  let now = 0;
  const admission = new Admission({ perSecond: 10, burst: 3, nowMs: () => now });
  expect([1, 2, 3, 4].map(() => admission.tryTake())).toEqual([true, true, true, false]);
  now = 100;
  expect([admission.tryTake(), admission.tryTake()]).toEqual([true, false]);
});

test.each([
  ["127.0.0.1", "127.0.0.1"],
  ["::ffff:10.0.0.7", "10.0.0.7"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2"],
  ["2001:0DB8:0001:0002::9", "2001:db8:1:2"],
  ["::1", "0:0:0:0"],
  ["fe80::1%eth0", "fe80:0:0:0"],
  ["", ""],
])("attempts from %s count for %s", (address, network) => expect(networkOf(address)).toBe(network));
