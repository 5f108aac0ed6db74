import type { NetworkService } from "@flotilla/protocol";
import { FlotillaError } from "@flotilla/core";
import { sampleService } from "@flotilla/protocol/sample-network";
import { beforeEach, describe, expect, test } from "vitest";
import { FakeOverlayKernel } from "../host/fake-overlay-kernel.ts";
import { sampleInput, sampleState } from "./fixture.ts";
import { placeKeys, planServiceKeys } from "./shortcut-plan.ts";
import { Shortcut, type ShortcutWish } from "./shortcut.ts";

const kernelOf = (): { kernel: FakeOverlayKernel; refusals: string[]; shortcut: Shortcut } => {
  const kernel = new FakeOverlayKernel();
  const refusals: string[] = [];
  return { kernel, refusals, shortcut: new Shortcut(kernel.programs, (reason) => refusals.push(reason)) };
};
let { kernel, refusals, shortcut } = kernelOf();
const stack = (): ReturnType<FakeOverlayKernel["router"]> => kernel.router("/run/overlay/4097");

beforeEach(() => {
  ({ kernel, refusals, shortcut } = kernelOf());
  for (const [name, index] of [["vx0", 3], ["c1", 7]] as const) stack().addLink({ name, index, kind: "", mac: "", mtuBytes: 1450 }); // prettier-ignore
});

/** @param services all of them. */
function wish(services: readonly NetworkService[] = [], change: Partial<ShortcutWish> = {}): ShortcutWish {
  const input = { ...sampleInput({ services: new Map(services.map((service) => [service.id, service])) }), mtuBytes: 1450 };
  return { input, vxlanIndex: 3, mayHaveFlows: true, gone: [], come: [], ...change };
}

const tables = (id = 1): Map<string, string>[] => kernel.programs.tables.get(id) ?? [];
const placesOf = (id = 1): Map<string, string> => tables(id)[0] ?? new Map<string, string>();
const targetsIn = (id = 1): string[] => [...(tables(id)[1]?.keys() ?? [])];
const targetsOf = (service: NetworkService): string[] => [...planServiceKeys(sampleState(), service).targets.keys()];
/** `7` the index of a link, `7 t` one with targets, `stack` where there is nothing. */
function place(address: string, id = 1): string {
  const [key = ""] = placeKeys(sampleState(), [address]);
  const value = placesOf(id).get(key);
  if (value === undefined) return "stack";
  const bytes = Buffer.from(value, "latin1");
  return `${bytes.readUInt32LE(0)}${bytes.readUInt16LE(10) === 1 ? " t" : ""}`;
}
const REMOTE_PLACES = 32;
const OWN = "10.30.1.18";

describe("the first time", () => {
  test("the program is given to the VXLAN device and the links that are there", () => {
    shortcut.ensure(wish(), stack());
    expect([...stack().programs]).toEqual([[3, 1], [7, 1]]); // prettier-ignore
    expect([placesOf().size, place(OWN), place("10.30.1.34")]).toEqual([REMOTE_PLACES + 1, "7", "3"]);
  });

  test("ports that flows go to are known, also when no service has them any more", () => {
    stack().targets = [{ address: "10.30.1.34", protocol: "tcp", port: 9_999 }];
    shortcut.ensure(wish(), stack());
    expect([targetsIn().length, place("10.30.1.34")]).toEqual([1, "3 t"]);
    shortcut.distrust();
    shortcut.ensure(wish([], { mayHaveFlows: false }), stack());
    expect([targetsIn(2).length, place("10.30.1.34", 2)]).toEqual([0, "3"]);
  });
});

describe("later", () => {
  test("a new link gets the program, and one that was made anew under its name", () => {
    shortcut.ensure(wish(), stack());
    stack().programs.clear();
    shortcut.ensure(wish(), stack());
    expect(stack().programs.size).toBe(0);
    shortcut.forgetLink("c1");
    shortcut.ensure(wish(), stack());
    expect([...stack().programs]).toEqual([[7, 1]]);
  });

  test("a service comes with its addresses and ports; its ports stay when it goes, for its flows", () => {
    const service = sampleService({ addresses: ["10.30.1.35"] });
    shortcut.ensure(wish(), stack());
    shortcut.ensure(wish([service], { come: [service] }), stack());
    expect([targetsIn(), place("10.30.1.35"), place(OWN)]).toEqual([targetsOf(service), "stack", "7 t"]);
    shortcut.ensure(wish([], { gone: [service] }), stack());
    expect([targetsIn(), place("10.30.1.35"), place(OWN)]).toEqual([targetsOf(service), "3", "7 t"]);
    expect(kernel.programs.tables.size).toBe(1);
  });

  test("a service that changed keeps its address, and a new network keeps what services say", () => {
    const [before, after] = [sampleService({ addresses: ["10.30.1.35"] }), sampleService({ addresses: ["10.30.1.35"], affinity: "client-ip" })]; // prettier-ignore
    shortcut.ensure(wish([before]), stack());
    shortcut.ensure(wish([after], { gone: [before], come: [after] }), stack());
    expect(place("10.30.1.35")).toBe("stack");
    const input = { ...wish([after]).input, state: sampleState({ dead: ["10.30.1.36"] }) };
    shortcut.ensure(wish([after], { input }), stack());
    expect([place("10.30.1.35"), place("10.30.1.36"), place("10.30.1.37"), place(OWN)]).toEqual(["stack", "stack", "3", "7 t"]);
    expect(kernel.programs.tables.size).toBe(1);
  });

  test("a replica that comes after its service has its targets", () => {
    const service = sampleService();
    shortcut.ensure(wish([service], { input: { ...sampleInput({ endpoints: [], services: new Map([[service.id, service]]) }), mtuBytes: 1450 } }), stack()); // prettier-ignore
    expect(place(OWN)).toBe("stack");
    shortcut.ensure(wish([service]), stack());
    expect(place(OWN)).toBe("7 t");
  });

  test("a block that changes hands is its new host's, and one that is given back is nobody's", () => {
    shortcut.ensure(wish(), stack());
    const { input } = wish();
    const [own, second] = input.state.blocks;
    if (own === undefined || second === undefined) throw new Error("no blocks");
    const valueOf = (): string | undefined => placesOf().get(placeKeys(sampleState(), ["10.30.1.34"])[0] ?? "");
    shortcut.ensure(wish([], { input: { ...input, state: sampleState({ blocks: [own, { ...second, host: 3 }] }) } }), stack());
    expect([valueOf()?.slice(4, 10), place("10.30.1.50")]).toEqual(["\x02\xf1\0\0\0\x03", "stack"]);
    shortcut.ensure(wish([], { input: { ...input, state: sampleState({ blocks: [own] }) } }), stack());
    expect([place("10.30.1.34"), place(OWN)]).toEqual(["stack", "7"]);
    expect(kernel.programs.tables.size).toBe(1);
  });

  test("another MTU, device or subnet makes another program", () => {
    shortcut.ensure(wish(), stack());
    const { input } = wish();
    shortcut.ensure(wish([], { input: { ...input, mtuBytes: 1400 } }), stack());
    shortcut.ensure(wish([], { vxlanIndex: 4 }), stack());
    const state = sampleState({ subnet: "10.30.0.0/16" });
    shortcut.ensure(wish([], { input: { ...input, state } }), stack());
    expect(kernel.programs.tables.size).toBe(4);
    expect(stack().programs.get(7)).toBe(4);
  });

  test("a table that is full is made anew, larger, without the ports of nobody", () => {
    shortcut.ensure(wish(), stack());
    const backends = Array.from({ length: 200 }, (_, index) => ({ address: `10.30.1.${index}`, weight: 1 }));
    const services = [1, 2, 3].map((port) =>
      sampleService({ id: `s${port}`, backends, ports: [{ protocol: "tcp", port, targetPort: port, publishedPort: null }] }),
    );
    for (const [index, service] of services.entries()) {
      const before = services.slice(0, index);
      shortcut.ensure(wish([service], { gone: before.slice(-1), come: [service] }), stack());
    }
    expect(kernel.programs.tables.size).toBe(2);
    const [first, ...rest] = services.map(targetsOf);
    expect(targetsIn(1)).toEqual(first);
    expect(targetsIn(2)).toEqual(rest.flat());
    expect(stack().programs.get(3)).toBe(2);
  });

  test("a link that went is looked for again when it is back", () => {
    shortcut.ensure(wish(), stack());
    shortcut.ensure(wish([], { input: { ...sampleInput({ endpoints: [] }), mtuBytes: 1450 } }), stack());
    expect([placesOf().size, place(OWN)]).toEqual([REMOTE_PLACES, "stack"]);
    stack().programs.clear();
    shortcut.ensure(wish(), stack());
    expect([place(OWN), stack().programs.get(7)]).toEqual(["7", 1]);
  });
});

describe("what goes wrong", () => {
  const refuse = (isRefusing = true): void => {
    kernel.programs.refusal = isRefusing ? new FlotillaError("internal", "bpf 5: EPERM", { details: { errno: "EPERM" } }) : undefined;
  };

  test("a kernel that has no such programs is asked once, and packets go through the stack", () => {
    refuse();
    shortcut.ensure(wish(), stack());
    shortcut.ensure(wish(), stack());
    expect([refusals, stack().programs.size]).toEqual([["bpf 5: EPERM"], 0]);
  });

  test("a table that cannot be changed is not looked at any more", () => {
    shortcut.ensure(wish(), stack());
    refuse();
    const service = sampleService();
    shortcut.ensure(wish([service], { come: [service] }), stack());
    expect([refusals.length, stack().programs.size]).toEqual([1, 0]);
  });

  test("a program that somebody took away is made anew", () => {
    shortcut.ensure(wish(), stack());
    const service = sampleService();
    const change = kernel.programs.change.bind(kernel.programs);
    kernel.programs.change = () => {
      throw new FlotillaError("internal", "bpf 14: ENOENT", { details: { errno: "ENOENT" } });
    };
    shortcut.ensure(wish([service], { come: [service] }), stack());
    kernel.programs.change = change;
    expect([refusals.length, stack().programs.get(3)]).toEqual([0, 2]);
    expect(targetsIn(2)).toEqual(targetsOf(service));
  });

  test("after a doubt everything is made anew", () => {
    refuse();
    shortcut.ensure(wish(), stack());
    refuse(false);
    shortcut.distrust();
    shortcut.ensure(wish(), stack());
    expect(stack().programs.size).toBe(2);
  });
});
