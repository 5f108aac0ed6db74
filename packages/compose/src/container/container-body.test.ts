import { describe, expect, test } from "vitest";
import { Project, Service } from "../model.ts";
import { containerBodyOf } from "./container-body.ts";
import type { ContainerScene } from "./scene.ts";

const PROJECT = { name: "p", volumes: { v: { name: "p_v", driver: "local", driverOpts: { type: "nfs" }, labels: { a: "b" } } } };

function bodyOf(keys: object, more: Partial<ContainerScene> = {}): Record<string, unknown> {
  const service = Service.parse({ image: "i", ...keys });
  const project = Project.parse({ ...PROJECT, services: { web: service } });
  const peers = new Map([["db", { id: "dbid", name: "p-db-1" }]]);
  return containerBodyOf({ project, service, peers, publishes: () => true, makesVolumes: false, ...more });
}

describe("a container", () => {
  test.each<[string, object, object]>([
    ["gives commands and entry points", { command: ["a"], entrypoint: [] }, { Cmd: ["a"], Entrypoint: [""] }],
    ["unsets variables", { environment: { A: "1", B: null, C: "" } }, { Env: ["A=1", "B", "C="] }],
    [
      "counts health in nanoseconds",
      { healthcheck: { intervalMs: 1500, retries: 2 } },
      { Healthcheck: { Interval: 1_500_000_000, Retries: 2 } },
    ],
    ["stops in whole seconds", { stopGracePeriodMs: 1200 }, { StopTimeout: 2 }],
    ["exposes what it publishes", { expose: ["1/tcp"], ports: [{ target: 80 }] }, { ExposedPorts: { "1/tcp": {}, "80/tcp": {} } }],
    [
      "publishes ports",
      {
        ports: [
          { target: 80, published: 8080, hostIp: "127.0.0.1" },
          { target: 81, protocol: "udp", published: 1, publishedEnd: 5 },
          { target: 82 },
        ],
      },
      {
        HostConfig: {
          PortBindings: {
            "80/tcp": [{ HostIp: "127.0.0.1", HostPort: "8080" }],
            "81/udp": [{ HostIp: "", HostPort: "1-5" }],
            "82/tcp": [{ HostIp: "", HostPort: "" }],
          },
        },
      },
    ],
    [
      "binds as strings where directories shall be made",
      { volumes: [{ type: "bind", source: "/a", target: "/b", isReadOnly: true, propagation: "rslave" }] },
      { HostConfig: { Binds: ["/a:/b:ro,rslave"], Mounts: [] } },
    ],
    [
      "binds as mounts where they shall not",
      { volumes: [{ type: "bind", source: "/a", target: "/b", createHostPath: false }] },
      { HostConfig: { Binds: [], Mounts: [{ Type: "bind", Source: "/a", Target: "/b", ReadOnly: false }] } },
    ],
    [
      "binds a path with a colon",
      { volumes: [{ type: "bind", source: "/a:b", target: "/b" }] },
      { HostConfig: { Mounts: [{ Source: "/a:b" }] } },
    ],
    [
      "uses volumes by their real names",
      { volumes: [{ type: "volume", source: "v", target: "/v", noCopy: true }] },
      { HostConfig: { Binds: ["p_v:/v:nocopy"] } },
    ],
    [
      "uses a part of a volume",
      { volumes: [{ type: "volume", source: "v", target: "/v", subpath: "s" }] },
      { HostConfig: { Mounts: [{ Type: "volume", Source: "p_v", VolumeOptions: { Subpath: "s" } }] } },
    ],
    [
      "limits",
      { deploy: { resources: { limits: { cpus: 0.5, memoryBytes: 64, pids: 3 }, reservations: { memoryBytes: 32 } } } },
      { HostConfig: { NanoCpus: 500_000_000, Memory: 64, PidsLimit: 3, MemoryReservation: 32 } },
    ],
    [
      "shares another service's namespaces and volumes",
      { ipc: "service:db", pid: "service:db", volumesFrom: ["db:ro", "container:x"] },
      { HostConfig: { IpcMode: "container:dbid", PidMode: "container:dbid", VolumesFrom: ["dbid:ro", "x"] } },
    ],
    [
      "names hosts with a colon",
      { extraHosts: ["a=1.1.1.1", "b=::1", "c:2.2.2.2"] },
      { HostConfig: { ExtraHosts: ["a:1.1.1.1", "b:::1", "c:2.2.2.2"] } },
    ],
    [
      "logs by its driver",
      { logging: { driver: "local", options: { a: "b" } } },
      { HostConfig: { LogConfig: { Type: "local", Config: { a: "b" } } } },
    ],
    [
      "has file systems in memory",
      { tmpfs: { "/run": "" }, volumes: [{ type: "tmpfs", target: "/t", sizeBytes: 5, mode: 0o1777 }] },
      {
        HostConfig: {
          Tmpfs: { "/run": "" },
          Mounts: [{ Type: "tmpfs", Target: "/t", ReadOnly: false, TmpfsOptions: { SizeBytes: 5, Mode: 0o1777 } }],
        },
      },
    ],
    [
      "is isolated as it says",
      {
        capAdd: ["NET_ADMIN"],
        devices: [{ source: "/dev/fuse", target: "/dev/fuse", permissions: "rwm" }],
        isPrivileged: true,
        isReadOnly: true,
        init: true,
        ulimits: { nofile: { soft: 1, hard: 2 } },
        sysctls: { "net.core.somaxconn": "1" },
      },
      {
        HostConfig: {
          CapAdd: ["NET_ADMIN"],
          Devices: [{ PathOnHost: "/dev/fuse", PathInContainer: "/dev/fuse", CgroupPermissions: "rwm" }],
          Privileged: true,
          ReadonlyRootfs: true,
          Init: true,
          Ulimits: [{ Name: "nofile", Soft: 1, Hard: 2 }],
          Sysctls: { "net.core.somaxconn": "1" },
        },
      },
    ],
    [
      "reads and writes devices at their rates",
      {
        blkio: {
          weight: 300,
          weightDevice: [{ path: "/dev/sda", weight: 5 }],
          deviceReadBps: [{ path: "/dev/sda", rateBytes: 9 }],
          deviceWriteIops: [{ path: "/dev/sda", rate: 3 }],
        },
      },
      {
        HostConfig: {
          BlkioWeight: 300,
          BlkioWeightDevice: [{ Path: "/dev/sda", Weight: 5 }],
          BlkioDeviceReadBps: [{ Path: "/dev/sda", Rate: 9 }],
          BlkioDeviceWriteIOps: [{ Path: "/dev/sda", Rate: 3 }],
        },
      },
    ],
    [
      "has anonymous volumes",
      { volumes: [{ type: "volume", target: "/x" }] },
      { Volumes: { "/x": {} }, HostConfig: { Binds: [], Mounts: [] } },
    ],
  ])("%s", (_name, keys, expected) => {
    expect(bodyOf(keys)).toMatchObject(expected);
  });

  test("an image's command and entry point are not mentioned when the file has none", () => {
    const body = bodyOf({});
    for (const key of ["Cmd", "Entrypoint", "User", "WorkingDir", "Healthcheck", "StopTimeout"]) expect(body).not.toHaveProperty(key);
  });
});

describe("a container of a service over many hosts", () => {
  const many = { publishes: ({ mode }: { mode: string }): boolean => mode === "host", makesVolumes: true };

  test("makes its volumes with it, of their kind and with their labels", () => {
    const volumes = [{ type: "volume", source: "v", target: "/v", isReadOnly: true }];
    expect(bodyOf({ volumes }, many)).toMatchObject({
      HostConfig: {
        Binds: [],
        Mounts: [
          {
            Type: "volume",
            Source: "p_v",
            Target: "/v",
            ReadOnly: true,
            VolumeOptions: {
              NoCopy: false,
              Labels: { a: "b", "com.docker.compose.project": "p", "com.docker.compose.volume": "v" },
              DriverConfig: { Name: "local", Options: { type: "nfs" } },
            },
          },
        ],
      },
    });
  });

  test("publishes what is its host's alone", () => {
    const ports = [
      { target: 53, protocol: "udp", published: 5353, mode: "host" },
      { target: 80, published: 80, mode: "ingress" },
    ];
    const body = bodyOf({ ports, expose: ["9"] }, many);
    expect(body["ExposedPorts"]).toEqual({ "9/tcp": {}, "53/udp": {} });
    expect(body["HostConfig"]).toMatchObject({ PortBindings: { "53/udp": [{ HostIp: "", HostPort: "5353" }] } });
  });
});

test("equal services give equal bytes", () => {
  const keys = { environment: { A: "1", B: "2" }, volumes: [{ type: "volume", source: "v", target: "/v" }] };
  expect(JSON.stringify(bodyOf(keys))).toBe(JSON.stringify(bodyOf(keys)));
});
