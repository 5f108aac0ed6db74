import { describe, expect, test } from "vitest";
import { FakeNetworkKernel } from "../host/fake-network-kernel.ts";
import { sampleState } from "./fixture.ts";
import { UnderlayLinks } from "./underlay-link.ts";

// The loopback device is the one that every machine has an address of.
const state = sampleState({ hosts: sampleState().hosts.map((host) => ({ ...host, underlay: "127.0.0.1" })) });

function linksOf(
  kind: string,
  options: { gathers?: boolean } = {},
): { links: UnderlayLinks; host: FakeNetworkKernel["host"]; pass: (ms: number) => void } {
  const { host } = new FakeNetworkKernel();
  host.linksByName.delete("lo");
  host.addLink("lo", { kind, mtuBytes: 9_000 });
  if (options.gathers === true) host.gathering.add("lo");
  let nowMs = 0;
  return { links: new UnderlayLinks(host, () => nowMs), host, pass: (ms) => void (nowMs += ms) };
}

test("the link of the host's own address is found, and an address that is nobody's is an error", () => {
  expect(linksOf("").links.find(state)).toMatchObject({ name: "lo", mtuBytes: 9_000 });
  expect(() => linksOf("").links.find(sampleState())).toThrow("10.99.0.1 is no address of this host that is up");
});

describe("packets come gathered", () => {
  test.each([
    ["from hardware that gathers", "", true, true],
    ["from hardware that does not", "", false, false],
    ["from a veth, whether it gathers or not", "veth", false, true],
  ] as const)("%s", (_, kind, gathers, expected) => {
    expect(linksOf(kind, { gathers }).links.isGathered(state)).toBe(expected);
  });

  test("from no tunnel, and from no address that is nobody's", () => {
    const { links } = linksOf("veth");
    expect(links.isGathered({ ...state, isEncrypted: true })).toBe(false);
    expect(links.isGathered(sampleState())).toBe(false);
  });

  test("as it was said last, for ten seconds", () => {
    const { links, host, pass } = linksOf("");
    expect(links.isGathered(state)).toBe(false);
    host.gathering.add("lo");
    pass(9_999);
    expect(links.isGathered(state)).toBe(false);
    pass(1);
    expect(links.isGathered(state)).toBe(true);
  });
});
