import { describe, expect, test } from "vitest";
import { allowedOf, formatPorts, GUARD_FLAGS, type GuardForm, parseGuardForm, toGuardForm } from "./guard-form.ts";

const flags = Object.fromEntries(GUARD_FLAGS.map((flag) => [flag, false])) as GuardForm["flags"];
const EMPTY: GuardForm = {
  flags,
  lists: { binds: "", capabilities: "", devices: "", sysctls: "" },
  limits: { containers: "", cpus: "", memory: "", hostPorts: "" },
};
const allow = { ...flags, binds: [], capabilities: [], devices: [], sysctls: [] };

describe("a guard rail as people write it", () => {
  test("says nothing where nothing is limited or allowed", () => {
    expect(parseGuardForm(EMPTY)).toEqual({ guard: { limits: {}, allow } });
    expect(toGuardForm({ limits: {}, allow })).toEqual(EMPTY);
  });

  test("comes back as it was written", () => {
    const form: GuardForm = {
      flags: { ...flags, hostPid: true },
      lists: { binds: "/srv/a\n/srv/b", capabilities: "CAP_NET_ADMIN", devices: "/dev/fuse", sysctls: "vm.swappiness" },
      limits: { containers: "10", cpus: "1.5", memory: "2048", hostPorts: "80, 8000-8100" },
    };
    const parsed = parseGuardForm(form);
    expect(parsed).toMatchObject({
      guard: { limits: { containers: 10, cpus: 1.5, memoryBytes: 2 ** 31, hostPorts: [[80, 80], [8000, 8100]] } }, // prettier-ignore
    });
    expect("guard" in parsed && toGuardForm(parsed.guard)).toEqual(form);
  });

  test("takes capabilities as people name them, each once", () => {
    const lists = { ...EMPTY.lists, capabilities: " net_admin\n\nCAP_NET_ADMIN\nall \n" };
    expect(parseGuardForm({ ...EMPTY, lists })).toMatchObject({
      guard: { allow: { capabilities: ["CAP_NET_ADMIN", "ALL"] } },
    });
  });

  test("no port is something else than any port", () => {
    const of = (hostPorts: string): unknown => parseGuardForm({ ...EMPTY, limits: { ...EMPTY.limits, hostPorts } });
    expect(of("none")).toMatchObject({ guard: { limits: { hostPorts: [] } } });
    expect(of(" ")).toEqual({ guard: { limits: {}, allow } });
    expect(formatPorts([])).toBe("none");
  });

  test.each([
    ["containers", "-1"],
    ["containers", "ten"],
    ["cpus", "0"],
    ["cpus", "1.234"],
    ["memory", "8"],
    ["hostPorts", "80-79"],
    ["hostPorts", "0"],
    ["hostPorts", "70000"],
    ["hostPorts", "http"],
  ] as const)("%s cannot be %j", (limit, text) => {
    expect(parseGuardForm({ ...EMPTY, limits: { ...EMPTY.limits, [limit]: text } })).toEqual({ wrong: limit });
  });

  test.each([
    ["binds", "srv/shop"],
    ["devices", "fuse"],
    ["capabilities", "no such"],
  ] as const)("%s cannot have %j", (list, text) => {
    expect(parseGuardForm({ ...EMPTY, lists: { ...EMPTY.lists, [list]: text } })).toEqual({ wrong: list });
  });

  test("in short it is what is more than everybody has", () => {
    expect(allowedOf({ ...allow, sockets: true, binds: ["/srv"] })).toEqual({
      flags: ["sockets"],
      lists: [{ list: "binds", values: ["/srv"] }],
    });
    expect(allowedOf(allow)).toEqual({ flags: [], lists: [] });
  });
});
