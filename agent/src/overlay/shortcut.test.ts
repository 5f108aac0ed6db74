import type { NetworkService } from "@flotilla/protocol";
import { FlotillaError } from "@flotilla/core";
import { sampleService } from "@flotilla/protocol/sample-network";
import { beforeEach, describe, expect, test } from "vitest";
import { FakeOverlayKernel } from "../host/fake-overlay-kernel.ts";
import { sampleInput, sampleState } from "./fixture.ts";
import { planServiceKeys } from "./shortcut-plan.ts";
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

const table = (id = 1): Map<string, string> => kernel.programs.tables.get(id) ?? new Map();
const targetsOf = (service: NetworkService): string[] => planServiceKeys(service).targets;
const addressesOf = (service: NetworkService): string[] => planServiceKeys(service).addresses;

describe("the first time", () => {
  test("the program is given to the VXLAN device and the links that are there", () => {
    shortcut.ensure(wish(), stack());
    expect([...stack().programs]).toEqual([[3, 1], [7, 1]]); // prettier-ignore
    expect(table().size).toBe(5);
  });

  test("ports that flows go to are known, also when no service has them any more", () => {
    stack().targets = [{ address: "10.30.1.34", protocol: "tcp", port: 9_999 }];
    shortcut.ensure(wish(), stack());
    expect(table().size).toBe(6);
    shortcut.distrust();
    shortcut.ensure(wish([], { mayHaveFlows: false }), stack());
    expect(table(2).size).toBe(5);
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
    const service = sampleService();
    shortcut.ensure(wish(), stack());
    shortcut.ensure(wish([service], { come: [service] }), stack());
    for (const key of [...targetsOf(service), ...addressesOf(service)]) expect(table().has(key)).toBe(true);
    shortcut.ensure(wish([], { gone: [service] }), stack());
    expect(addressesOf(service).map((key) => table().has(key))).toEqual([false]);
    expect(targetsOf(service).map((key) => table().has(key))).toEqual([true, true]);
    expect(kernel.programs.tables.size).toBe(1);
  });

  test("a service that changed keeps its address", () => {
    const [before, after] = [sampleService(), sampleService({ affinity: "client-ip" })];
    shortcut.ensure(wish([before]), stack());
    shortcut.ensure(wish([after], { gone: [before], come: [after] }), stack());
    for (const key of addressesOf(after)) expect(table().has(key)).toBe(true);
  });

  test("another MTU, device or length of blocks makes another program", () => {
    shortcut.ensure(wish(), stack());
    const { input } = wish();
    shortcut.ensure(wish([], { input: { ...input, mtuBytes: 1400 } }), stack());
    shortcut.ensure(wish([], { vxlanIndex: 4 }), stack());
    const state = sampleState({ blocks: [{ host: 2, cidr: "10.30.1.64/26" }] });
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
    expect(table(2).size).toBeLessThan(table(1).size);
    expect(stack().programs.get(3)).toBe(2);
  });

  test("a link that went is looked for again when it is back", () => {
    shortcut.ensure(wish(), stack());
    shortcut.ensure(wish([], { input: { ...sampleInput({ endpoints: [] }), mtuBytes: 1450 } }), stack());
    expect(table().size).toBe(4);
    stack().programs.clear();
    shortcut.ensure(wish(), stack());
    expect([table().size, stack().programs.get(7)]).toEqual([5, 1]);
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
    expect(addressesOf(service).every((key) => table(2).has(key))).toBe(true);
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
