import { describe, expect, test } from "vitest";
import { failureOf, load, webOf, withWeb } from "../load-for-tests.ts";

describe("ports", () => {
  test.each<[string, object[]]>([
    ["'80'", [{ target: 80 }]],
    ["80", [{ target: 80 }]],
    ["'8080:80'", [{ target: 80, published: 8080 }]],
    ["'127.0.0.1:8080:80'", [{ target: 80, published: 8080, hostIp: "127.0.0.1" }]],
    ["'127.0.0.1::80'", [{ target: 80, hostIp: "127.0.0.1" }]],
    ["'[::1]:8080:80'", [{ target: 80, published: 8080, hostIp: "::1" }]],
    ["'53:53/udp'", [{ target: 53, published: 53, protocol: "udp" }]],
    [
      "'8000-8001:80-81'",
      [
        { target: 80, published: 8000 },
        { target: 81, published: 8001 },
      ],
    ],
    ["'80-81'", [{ target: 80 }, { target: 81 }]],
    ["'8000-8010:80'", [{ target: 80, published: 8000, publishedEnd: 8010 }]],
    [
      "{target: 80, published: '8080', host_ip: 127.0.0.1, protocol: udp, mode: host, name: web, app_protocol: http}",
      [{ target: 80, published: 8080, hostIp: "127.0.0.1", protocol: "udp", mode: "host", name: "web", appProtocol: "http" }],
    ],
  ])("%s", async (source, expected) => {
    const filled = expected.map((port) => ({ protocol: "tcp", mode: "ingress", ...port }));
    expect((await webOf(`ports: [${source}]`)).ports).toEqual(filled);
  });

  test.each([
    ["'abc'", "invalid port 'abc'"],
    ["'70000:80'", "invalid port '70000:80'"],
    ["'80:'", "invalid port '80:'"],
    ["'8000-8002:80-81'", "invalid ranges specified for container and host ports"],
    ["'80/xyz'", "must be one of tcp, udp, sctp"],
    ["{published: 80}", "target is missing"],
    ["{target: 80, published: x}", "invalid published port: x"],
    ["[1]", "must be a port or a mapping"],
  ])("%s is refused: %s", async (source, expected) => {
    expect(await failureOf(withWeb(`ports: [${source}]`))).toContain(expected);
  });
});

describe("volumes", () => {
  const bind = { type: "bind", isReadOnly: false, createHostPath: true };
  const volume = { type: "volume", isReadOnly: false, noCopy: false };
  test.each<[string, object]>([
    ["/data", { ...volume, target: "/data" }],
    ["v:/data", { ...volume, source: "v", target: "/data" }],
    ["v:/data:ro,nocopy", { ...volume, source: "v", target: "/data", isReadOnly: true, noCopy: true }],
    ["./a:/b", { ...bind, source: "/app/a", target: "/b" }],
    ["../a:/b:ro", { ...bind, source: "/a", target: "/b", isReadOnly: true }],
    ["/var/etc/:/var/etc/", { ...bind, source: "/var/etc", target: "/var/etc/" }],
    ["~/a:/b:rshared,z", { ...bind, source: "/home/me/a", target: "/b", propagation: "rshared", selinux: "z" }],
    [
      "{type: bind, source: ./a, target: /b, bind: {create_host_path: false}}",
      { ...bind, source: "/app/a", target: "/b", createHostPath: false },
    ],
    [
      "{type: volume, source: v, target: /b, volume: {nocopy: true, subpath: s}}",
      { ...volume, source: "v", target: "/b", noCopy: true, subpath: "s" },
    ],
    [
      "{type: tmpfs, target: /t, tmpfs: {size: 64m, mode: 0o1777}}",
      { type: "tmpfs", target: "/t", isReadOnly: false, sizeBytes: 67_108_864, mode: 0o1777 },
    ],
  ])("%s", async (source, expected) => {
    const { project } = await load(`${withWeb(`volumes:\n  - ${source}`)}\nvolumes: {v: }`, { environment: { HOME: "/home/me" } });
    expect(project.services["web"]?.volumes).toEqual([expected]);
  });

  test.each([
    ["a:b:c:d", "invalid volume 'a:b:c:d'"],
    ["./a:/b:wat", "unknown mode 'wat'"],
    ["{type: bind, target: /b}", "a bind needs a source"],
    ["{source: v, target: /b}", "type is missing"],
    ["{type: npipe, source: v, target: /b}", "must be one of bind, volume, tmpfs"],
    ["nope:/data", 'service "web" refers to undefined volume nope'],
  ])("%s is refused: %s", async (source, expected) => {
    expect(await failureOf(withWeb(`volumes:\n  - ${source}`))).toContain(expected);
  });
});

describe("values", () => {
  test.each([
    ["stop_grace_period: 1m30s", { stopGracePeriodMs: 90_000 }],
    ["stop_grace_period: 1.5s", { stopGracePeriodMs: 1500 }],
    ["shm_size: 64m", { shmSizeBytes: 67_108_864 }],
    ["shm_size: 1gb", { shmSizeBytes: 1_073_741_824 }],
    ["shm_size: 1024", { shmSizeBytes: 1024 }],
    ["memswap_limit: -1", { memswapLimitBytes: -1 }],
    ["command: sh run.sh", { command: ["sh", "run.sh"] }],
    [`command: sh -c "echo 'a b' \\\\$$X"`, { command: ["sh", "-c", "echo 'a b' \\$X"] }],
    ["command: []", { command: [] }],
    ["entrypoint: ''", { entrypoint: [] }],
    ["restart: on-failure:3", { restart: { name: "on-failure", maximumRetryCount: 3 } }],
    ["restart: no", { restart: { name: "no", maximumRetryCount: 0 } }],
    ["restart: 'no'", { restart: { name: "no", maximumRetryCount: 0 } }],
    ["pull_policy: if_not_present", { pullPolicy: "missing" }],
    ["pull_policy: every_12h", { pullPolicy: "refresh", pullRefreshMs: 43_200_000 }],
    ["pull_policy: weekly", { pullPolicy: "refresh", pullRefreshMs: 604_800_000 }],
    ["expose: ['3000', 8000-8001, 53/udp]", { expose: ["3000/tcp", "8000/tcp", "8001/tcp", "53/udp"] }],
    ["ulimits: {nproc: 10, nofile: {soft: 1, hard: 2}}", { ulimits: { nproc: { soft: 10, hard: 10 }, nofile: { soft: 1, hard: 2 } } }],
    ["tmpfs: /run:size=64m", { tmpfs: { "/run": "size=64m" } }],
    ["extra_hosts: {a: 1.1.1.1, b: [2.2.2.2, 3.3.3.3]}", { extraHosts: ["a=1.1.1.1", "b=2.2.2.2", "b=3.3.3.3"] }],
    ["extra_hosts: ['a:1.1.1.1']", { extraHosts: ["a:1.1.1.1"] }],
    ["labels: [a, b=c=d]", { labels: { a: "", b: "c=d" } }],
    ["labels: {a: true, b: 1.5, c: null}", { labels: { a: "true", b: "1.5", c: "" } }],
    ["environment: {A: 1, B: , C: 'x', D: true}", { environment: { A: "1", B: null, C: "x", D: "true" } }],
    ["environment: [A, B=]", { environment: { A: "shell", B: "" } }],
    ["sysctls: [a.b=1]", { sysctls: { "a.b": "1" } }],
    ["healthcheck: {disable: true, interval: 1s}", { healthcheck: { test: ["NONE"] } }],
    [
      "healthcheck: {test: curl x, interval: 10s, timeout: 500ms, start_period: 1h, retries: 2}",
      { healthcheck: { test: ["CMD-SHELL", "curl x"], intervalMs: 10_000, timeoutMs: 500, startPeriodMs: 3_600_000, retries: 2 } },
    ],
    [
      "devices: ['/dev/a', '/dev/b:/dev/c:r']",
      {
        devices: [
          { source: "/dev/a", target: "/dev/a", permissions: "rwm" },
          { source: "/dev/b", target: "/dev/c", permissions: "r" },
        ],
      },
    ],
    ["cpu_period: 20ms\ncpu_quota: 50000", { cpuPeriodUs: 20_000, cpuQuotaUs: 50_000 }],
    [
      "mem_limit: 1g\ncpus: 0.5\npids_limit: 10\nmem_reservation: 512m",
      {
        deploy: { resources: { limits: { memoryBytes: 1_073_741_824, cpus: 0.5, pids: 10 }, reservations: { memoryBytes: 536_870_912 } } },
      },
    ],
    ["scale: 3", { deploy: { replicas: 3 } }],
    ["user: 1000", { user: "1000" }],
    ["links: [db:database]", { links: ["db:database"], dependsOn: { db: { restart: true } } }],
    ["network_mode: service:db", { networkMode: "service:db", networks: {}, dependsOn: { db: {} } }],
    ["volumes_from: [db:ro, 'container:x']", { volumesFrom: ["db:ro", "container:x"], dependsOn: { db: {} } }],
    [
      "networks: {n: {priority: 1}, m: {priority: 5, ipv4_address: 10.0.0.2}}",
      { networks: { m: { priority: 5, ipv4Address: "10.0.0.2" }, n: { priority: 1 } } },
    ],
    ["depends_on: [db]", { dependsOn: { db: { condition: "service_started", isRequired: true, restart: false } } }],
    [
      "secrets: [s, {source: s, target: /x/y, mode: 0440, uid: '1'}]",
      {
        secrets: [
          { source: "s", target: "/run/secrets/s" },
          { source: "s", target: "/x/y", mode: 0o440, uid: "1" },
        ],
      },
    ],
    ["configs: [c, {source: c, target: sub}]", { configs: [{ target: "/c" }, { target: "/sub" }] }],
    ["build: https://example.com/repo.git#main", { build: { context: "https://example.com/repo.git#main" } }],
    ["build: {dockerfile: D}", { build: { context: "/app", dockerfile: "D" } }],
    ["x-mine: {a: [1]}", { extensions: { "x-mine": { a: [1] } } }],
  ])("%s", async (keys, expected) => {
    const rest = "\n  db: {image: i}\nnetworks: {n: , m: }\nsecrets: {s: {file: s}}\nconfigs: {c: {content: hello}}";
    const { project } = await load(`${withWeb(keys)}${rest}`, { environment: { A: "shell" } });
    expect(project.services["web"]).toMatchObject(expected);
  });

  test("networks are connected by priority", async () => {
    const text = `${withWeb("networks: {a: , b: {priority: 9}, c: {priority: 10}}")}\nnetworks: {a: , b: , c: }`;
    expect(Object.keys((await load(text)).project.services["web"]?.networks ?? {})).toEqual(["c", "b", "a"]);
  });

  test.each([
    ["image: 5", "3:12: services.web.image: must be a string, not a number"],
    ["tty: maybe", "4:10: services.web.tty: must be a boolean, not a string"],
    ["scale: 1.5", "must be a whole number, not 1.5"],
    ["scale: -1", "must be from 0 to 1000000, not -1"],
    ["command: {a: b}", "must be a command"],
    ['command: "a \'b"', "a quote or a backslash is not closed"],
    ["stop_grace_period: 10", "must be a duration like 1m30s, not 10"],
    ["shm_size: lots", "must be a size like 64m, not lots"],
    ["restart: sometimes", "must be no, always, unless-stopped or on-failure[:COUNT], not sometimes"],
    ["restart: always:3", "must be no, always"],
    ["pull_policy: every_now", "must be always, never"],
    ["expose: [x]", "invalid port 'x'"],
    ["ulimits: {nofile: {soft: 1}}", "soft and hard are both needed"],
    ["environment: [[1]]", "must be KEY=VALUE, not a list"],
    ["environment: {A: [1]}", "must be a string, a number or a boolean, not a list"],
    ["ports: {a: b}", "must be a list, not a mapping"],
    ["healthcheck: {test: [curl]}", "must begin with NONE, CMD or CMD-SHELL"],
    ["depends_on: {db: {condition: service_healty}}", "did you mean 'service_healthy'?"],
    ["mem_limit: 1g\ndeploy: {resources: {limits: {memory: 2g}}}", "differs from what deploy.resources says"],
    ["scale: 2\ndeploy: {replicas: 3}", "differs from deploy.replicas"],
    ["imgae: x", "4:5: services.web: additional properties 'imgae' not allowed; did you mean 'image'?"],
    ["deploy: {replica: 1}", "services.web.deploy: additional properties 'replica' not allowed; did you mean 'replicas'?"],
    ["devices: ['a:b:c:d']", "invalid device"],
    ["secrets: [{source: s, mode: 99999}]", "must be permissions like 0440, not 99999"],
    ["deploy: {update_config: {max_failure_ratio: 2}}", "must be from 0 to 1, not 2"],
    ["build: {dockerfile: a, dockerfile_inline: b}", "exclude each other"],
    ["network_mode: host\nnetworks: [n]", "network_mode and networks exclude each other"],
    ["container_name: x\nscale: 2", "a fixed container name allows one replica, not 2"],
    ["networks: [nn]", "refers to undefined network nn; did you mean 'n'?"],
    ["configs: [x]", 'service "web" refers to undefined config x'],
  ])("%s is refused", async (keys, expected) => {
    const text = keys.startsWith("image:") ? `services:\n  web:\n    ${keys}\n` : withWeb(keys);
    expect(await failureOf(`${text}networks: {n: }\nsecrets: {s: {file: s}}`)).toContain(expected);
  });

  test("every mistake of a file is told in one run", async () => {
    expect((await failureOf(withWeb("tty: maybe\nscale: x\nnope: 1"))).split("\n")).toHaveLength(3);
  });
});
