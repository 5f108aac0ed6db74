import { silentLogger } from "@flotilla/core";
import { ContainerConfig, HostConfig } from "@flotilla/engine-api";
import { describe, expect, test } from "vitest";
import { Database } from "../store/database.ts";
import { ContainerStore } from "./container-store.ts";
import { ContainerRecord } from "./record.ts";

function record(id: string, change: Partial<ContainerRecord> = {}): ContainerRecord {
  return ContainerRecord.parse({
    version: 1, id: id.padEnd(64, "0"), namespace: "default", name: `n${id}`, createdAtMs: 1, imageReference: "", imageId: "", path: "sh", args: [],
    config: ContainerConfig.parse({}), hostConfig: HostConfig.parse({}), endpoints: [], mounts: [], cgroupPath: "", isExempt: true, status: "created", intent: "none",
    pid: 0, pidStartTicks: 0, startedAtMs: 0, finishedAtMs: 0, exitCode: 0, error: "", isOomKilled: false, restartCount: 0, restartDelayMs: 0,
    isManuallyStopped: false, attachment: null, health: null, ...change,
  }); // prettier-ignore
}

function open(): { db: Database; store: ContainerStore } {
  const db = new Database(":memory:");
  return { db, store: new ContainerStore(db, silentLogger) };
}

describe("ContainerStore", () => {
  test("what is written is read by the next one, whole", () => {
    const { db, store } = open();
    store.insert(record("a1", { mounts: [], endpoints: [{ networkName: "bridge", aliases: ["x"] }] }));
    store.update("a1".padEnd(64, "0"), { status: "running", pid: 7, name: "renamed" });
    const again = new ContainerStore(db, silentLogger);
    expect(again.get("default", "renamed")).toEqual(store.get("default", "renamed"));
    expect(again.hasName("default", "na1")).toBe(false);
  });

  test("an id is found by name, slash and prefix; an ambiguous prefix is refused", () => {
    const { store } = open();
    store.insert(record("ab1"));
    store.insert(record("ab2"));
    store.insert(record("cd", { namespace: "other" }));
    for (const ref of ["nab1", "/nab1", "ab1"]) expect(store.get("default", ref).name).toBe("nab1");
    expect(() => store.get("default", "ab")).toThrow("multiple IDs found with provided prefix: ab");
    for (const ref of ["cd", "ncd", "x", ""]) expect(() => store.get("default", ref)).toThrow(`No such container: ${ref}`);
  });

  test("names are unique in a namespace, across namespaces they may repeat", () => {
    const { store } = open();
    store.insert(record("a", { name: "web" }));
    store.insert(record("b", { name: "web", namespace: "other" }));
    store.insert(record("c"));
    expect(() => store.insert(record("d", { name: "web" }))).toThrow('The container name "/web" is already in use');
    expect(() => store.update("c".padEnd(64, "0"), { name: "web" })).toThrow("Conflict.");
  });

  test("a container that is still being created is not there yet, but its name is taken", () => {
    const { store } = open();
    store.insert(record("a", { name: "web", intent: "create" }));
    expect(store.all()).toEqual([]);
    expect(() => store.get("default", "web")).toThrow("No such container");
    expect(() => store.assertNameFree("default", "web")).toThrow("Conflict.");
  });

  test("a row that cannot be read stays, and what it names is known", () => {
    const { db, store } = open();
    store.insert(record("a"));
    db.run("UPDATE containers SET record = ?", '{"version":2}');
    const again = new ContainerStore(db, silentLogger);
    expect(again.everything()).toEqual([]);
    expect(again.isKnown("a".padEnd(64, "0"))).toBe(true);
    expect(db.all("SELECT id FROM containers")).toHaveLength(1);
  });

  test("is found by a label, or a label with its value, in whatever namespace", () => {
    const { store } = open();
    const labels = (Labels: Record<string, string>) => ({ config: { ...record("x").config, Labels } });
    store.insert(record("a", labels({ "io.x": "1" })));
    store.insert(record("b", { ...labels({ "io.x": "2" }), namespace: "other" }));
    store.insert(record("c", labels({})));
    store.insert(record("d", { ...labels({ "io.x": "2" }), intent: "create" }));
    expect(store.labelled("io.x").map(({ name }) => name)).toEqual(["na", "nb"]);
    expect(store.labelled("io.x", "2").map(({ name }) => name)).toEqual(["nb"]);
    expect(store.labelled("toString")).toEqual([]);
  });

  test("the newest comes first, also within one millisecond", () => {
    const { store } = open();
    for (const [id, createdAtMs] of [
      ["a", 5],
      ["b", 9],
      ["c", 9],
    ] as const)
      store.insert(record(id, { createdAtMs }));
    expect(store.all().map((each) => each.name)).toEqual(["nc", "nb", "na"]);
  });
});
