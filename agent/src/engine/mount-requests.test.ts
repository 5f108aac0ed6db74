import { ContainerConfig, HostConfig } from "@flotilla/engine-api";
import { describe, expect, test } from "vitest";
import { parseBind, planMountRequests } from "./mount-requests.ts";

const plan = (hostConfig: Record<string, unknown>, config: Record<string, unknown> = {}) =>
  planMountRequests(ContainerConfig.parse(config), HostConfig.parse(hostConfig), []);

describe("-v", () => {
  test.each([
    ["/src:/dst", { type: "bind", source: "/src", destination: "/dst", isReadOnly: false, createsSource: true, propagation: "rprivate" }],
    [
      "/src/../x:/dst/:ro,rshared",
      { type: "bind", source: "/x", destination: "/dst", isReadOnly: true, propagation: "rshared", mode: "ro,rshared" },
    ],
    ["name:/dst", { type: "volume", name: "name", mode: "z", copiesUp: true, isAnonymous: false }],
    ["name:/dst:ro,nocopy", { type: "volume", name: "name", isReadOnly: true, copiesUp: false }],
    ["/only", { type: "volume", name: "", destination: "/only", isAnonymous: true }],
  ])("%s", (spec, expected) => {
    expect(parseBind(spec, "")).toMatchObject(expected);
  });

  test.each([
    ["", "invalid volume specification: ''"],
    [":/x", "invalid volume specification: ':/x'"],
    ["/a:", "invalid volume specification: '/a:'"],
    ["/a:/b:", "invalid volume specification: '/a:/b:'"],
    ["/a:/b:fast", "invalid mode: fast"],
    ["/a:/b:ro:x", "invalid volume specification"],
    ["/a:b", "mount path must be absolute"],
    ["/a:/", "destination can't be '/'"],
    ["./a:/b", "If you intended to pass a host directory, use absolute path"],
    ["a/../../etc:/b", "includes invalid characters for a local volume name"],
  ])("%j is refused", (spec, message) => {
    expect(() => parseBind(spec, "")).toThrow(message);
  });
});

describe("--mount", () => {
  const mount = (request: Record<string, unknown>) => plan({ Mounts: [request] })[0];

  test("binds, volumes and tmpfs", () => {
    expect(mount({ Type: "bind", Source: "/a", Target: "/b", ReadOnly: true })).toMatchObject({
      createsSource: false,
      isReadOnly: true,
      isReadOnlyRecursive: true,
      isMountRequest: true,
    });
    expect(
      mount({
        Type: "bind",
        Source: "/a",
        Target: "/b",
        BindOptions: { NonRecursive: true, Propagation: "rslave", ReadOnlyNonRecursive: true },
      }),
    ).toMatchObject({ isRecursive: false, propagation: "rslave", isReadOnlyRecursive: false });
    expect(mount({ Type: "volume", Target: "/b", VolumeOptions: { NoCopy: true, Labels: { a: "b" } } })).toMatchObject({
      isAnonymous: true,
      copiesUp: false,
      volume: { labels: { a: "b" } },
    });
    expect(mount({ Type: "tmpfs", Target: "/t", TmpfsOptions: { SizeBytes: 4096, Mode: 0o700 } })?.options).toEqual([
      "noexec",
      "nosuid",
      "nodev",
      "size=4096",
      "mode=700",
    ]);
  });

  test.each([
    [{ Type: "bind", Target: "/b" }, 'invalid mount config for type "bind": field Source must not be empty'],
    [{ Type: "bind", Source: "a", Target: "/b" }, "mount path must be absolute"],
    [{ Type: "volume", Source: "a", Target: "" }, 'invalid mount config for type "volume": field Target must not be empty'],
    [{ Type: "tmpfs", Source: "a", Target: "/b" }, "field Source must not be specified"],
    [{ Type: "npipe", Target: "/b" }, 'mount type unknown: "npipe"'],
    [
      { Type: "volume", Source: "data", Target: "/b", VolumeOptions: { Subpath: "../x" } },
      "subpath must be a relative path within the volume",
    ],
  ])("%j is refused", (request, message) => {
    expect(() => mount(request)).toThrow(message);
  });
});

describe("together", () => {
  test("one place cannot be taken twice, and an explicit mount wins over the image's VOLUME", () => {
    expect(() => plan({ Binds: ["/a:/x"], Tmpfs: { "/x/": "" } })).toThrow("Duplicate mount point: /x");
    expect(
      plan({ Binds: ["/a:/data"] }, { Volumes: { "/data": {}, "/more": {} } }).map((mount) => [mount.destination, mount.type]),
    ).toEqual([
      ["/data", "bind"],
      ["/more", "volume"],
    ]);
  });

  test("--tmpfs options replace their opposites, and only plain words are options", () => {
    expect(plan({ Tmpfs: { "/t": "exec,size=64m" } })[0]?.options).toEqual(["nosuid", "nodev", "exec", "size=64m"]);
    expect(() => plan({ Tmpfs: { "/t": "size=1 nosuid" } })).toThrow("invalid tmpfs option");
  });
});
