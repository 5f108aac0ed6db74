import { existsSync, mkdtempSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ContainerUpdateBody } from "@flotilla/engine-api";
import { describe, expect, test } from "vitest";
import { controllerDir, detectCgroups } from "../../agent/src/host/cgroup.ts";
import { run } from "../../agent/src/host/run.ts";
import { NS, type TestEngine, until, withEngine } from "../support/engine.ts";

const layout = detectCgroups();
const isV2 = layout.mode === "v2";

function logOf(t: TestEngine, id: string): string {
  const text = readFileSync(t.engine.get(NS, id).logPath, "utf8");
  return text
    .split("\n")
    .map((line) => line.split(" ").slice(3).join(" "))
    .join("\n")
    .trim();
}

/** Runs a shell script to its end and returns what it printed. */
async function output(t: TestEngine, script: string, body: Record<string, unknown> = {}): Promise<string> {
  const id = await t.run({ Cmd: ["sh", "-c", `exec 2>&1; ${script}`], ...body });
  await t.exitOf(id);
  return logOf(t, id);
}

/** Reads `memory memory.max` and the like of a container. */
function cgroupFile(t: TestEngine, id: string, what: string): string {
  const [controller = "", file = ""] = what.split(" ");
  return readFileSync(join(controllerDir(layout, controller, t.engine.get(NS, id).cgroupPath) ?? "", file), "utf8").trim();
}

async function withDir(work: (dir: string) => Promise<void>): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), "flt-bind-"));
  try {
    await work(dir);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

describe("process", () => {
  test("environment, directory, hostname and files are Docker's", async () => {
    await withEngine(async (t) => {
      const text = await output(t, "env | sort; pwd; hostname; cat /etc/hostname /etc/hosts", {
        Env: ["A=1", "B=two words"],
        WorkingDir: "/new/dir",
        Hostname: "box",
        HostConfig: { ExtraHosts: ["db:10.9.8.7"] },
      });
      expect(text).toContain("A=1\nB=two words\nHOME=/root\nHOSTNAME=box\n");
      expect(text).toContain("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
      expect(text).toContain("\n/new/dir\nbox\nbox\n");
      expect(text).toMatch(/10\.9\.8\.7\tdb\n172\.\d+\.\d+\.\d+\tbox/);
    });
  });

  test("users and groups come from the image's own files", async () => {
    await withEngine(async (t) => {
      expect(await output(t, "id -u; id -g; id -G", { User: "nobody" })).toBe("65534\n65534\n65534 4242");
      expect(await output(t, "id -u; id -g; id -G", { User: "1234:extra", HostConfig: { GroupAdd: ["77"] } })).toBe("1234\n4242\n4242 77");
    });
  });

  test("capabilities, no-new-privileges, seccomp and masked paths confine it", async () => {
    await withEngine(async (t) => {
      const script =
        "grep -E 'CapEff|NoNewPrivs|Seccomp:' /proc/self/status; cat /proc/timer_list | wc -c; ls /sys/firmware | wc -l; echo x > /proc/sys/kernel/domainname";
      const text = await output(t, script, { HostConfig: { SecurityOpt: ["no-new-privileges"] } });
      expect(text).toMatch(/CapEff:\s+00000000a80425fb\nNoNewPrivs:\s+1\nSeccomp:\s+2\n0\n0\n.*(Read-only|denied)/s);
      const open = await output(t, "grep -E 'CapEff|Seccomp:' /proc/self/status", {
        HostConfig: { SecurityOpt: ["seccomp=unconfined"], CapDrop: ["ALL"], CapAdd: ["net_admin"] },
      });
      expect(open).toMatch(/CapEff:\s+0000000000001000\nSeccomp:\s+0/);
    });
  });

  test("privileged has the host's devices and all capabilities the agent has", async () => {
    await withEngine(async (t) => {
      const own = /CapBnd:\s+(\w+)/.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
      const text = await output(t, "grep CapEff /proc/self/status; test -w /sys/fs/cgroup/pids -o -w /sys/fs/cgroup && echo writable", {
        HostConfig: { Privileged: true },
      });
      expect(text).toContain(`CapEff:\t${own}`);
      expect(text).toContain("writable");
    });
  });

  test("--init runs an init as pid 1, a terminal is a terminal, ulimits and sysctls are set", async () => {
    await withEngine(async (t) => {
      expect(await output(t, "cat /proc/1/comm", { HostConfig: { Init: true } })).toMatch(/init|tini/);
      expect(await output(t, "tty", { Tty: true })).toContain("/dev/pts/0");
      expect(
        await output(t, "ulimit -n; cat /proc/sys/net/ipv4/ip_forward", {
          HostConfig: { Ulimits: [{ Name: "nofile", Soft: 100, Hard: 200 }], Sysctls: { "net.ipv4.ip_forward": "0" } },
        }),
      ).toBe("100\n0");
      expect(await output(t, "ulimit -n", { HostConfig: { Ulimits: [{ Name: "nofile", Soft: 50, Hard: 2_000_000 }] } })).toBe("50");
    });
  });

  test("unlimited is unlimited, and every container of a profile is confined as the first, execs included", async () => {
    await withEngine(async (t) => {
      const HostConfig = { Ulimits: [{ Name: "core", Soft: -1, Hard: -1 }] };
      expect(await output(t, "ulimit -c", { HostConfig })).toBe("unlimited");
      for (const attempt of [1, 2]) {
        const id = await t.run({ Cmd: ["sleep", "100"], StopTimeout: 0 }, `c${attempt}`);
        const { runtimePath, runtimeRoot } = t.engine.get(NS, id);
        const { stdout } = await run({
          argv: [runtimePath, `--root=${runtimeRoot}`, "exec", id, "grep", "Seccomp:", "/proc/1/status", "/proc/self/status"],
        });
        expect(stdout).toBe("/proc/1/status:Seccomp:\t2\n/proc/self/status:Seccomp:\t2\n");
      }
    });
  });

  test("namespaces of the host and of other containers are shared on request", async () => {
    await withEngine(async (t) => {
      const ns = (name: string): string => `readlink /proc/self/ns/${name}`;
      const host = (name: string): string => readlinkSync(`/proc/self/ns/${name}`);
      expect(
        await output(t, `${ns("net")}; ${ns("pid")}; ${ns("ipc")}; ${ns("uts")}`, {
          HostConfig: { NetworkMode: "host", PidMode: "host", IpcMode: "host", UTSMode: "host" },
        }),
      ).toBe([host("net"), host("pid"), host("ipc"), host("uts")].join("\n"));
      const donor = await t.run(
        { Cmd: ["sh", "-c", "echo shared > /dev/shm/x; sleep 100"], HostConfig: { IpcMode: "shareable" } },
        "donor",
      );
      const { pid } = t.engine.get(NS, donor);
      await until("the file", () => existsSync(`/proc/${pid}/root/dev/shm/x`));
      const joined = await output(t, `${ns("net")}; ${ns("pid")}; ${ns("ipc")}; cat /dev/shm/x; hostname`, {
        HostConfig: { NetworkMode: "container:donor", PidMode: "container:donor", IpcMode: "container:donor" },
      });
      const of = (name: string): string => readlinkSync(`/proc/${pid}/ns/${name}`);
      expect(joined).toBe([of("net"), of("pid"), of("ipc"), "shared", donor.slice(0, 12)].join("\n"));
    });
  });

  test("network none has loopback only", async () => {
    await withEngine(async (t) => {
      expect(await output(t, "ls /sys/class/net", { HostConfig: { NetworkMode: "none" } })).toBe("lo");
    });
  });
});

describe("mounts", () => {
  test("binds, their modes, missing sources, volumes and copy-up", async () => {
    await withEngine(async (t) => {
      await withDir(async (dir) => {
        writeFileSync(join(dir, "f"), "from the host");
        const text = await output(t, "cat /a/f; echo x > /ro/f; echo y > /a/g; cat /vol/change-me; echo kept > /named/k; ls -d /tmp/new", {
          HostConfig: { Binds: [`${dir}:/a`, `${dir}:/ro:ro`, "data:/named", "copy:/etc2", `${dir}/made/by/engine:/tmp/new`] },
          Volumes: { "/anon": {} },
        });
        expect(text).toContain("from the host");
        expect(text).toContain("Read-only file system");
        expect(readFileSync(join(dir, "g"), "utf8")).toBe("y\n");
        expect(existsSync(join(dir, "made/by/engine"))).toBe(true);
        expect(
          await output(t, "cat /d/k", { HostConfig: { Mounts: [{ Type: "volume", Source: "data", Target: "/d", ReadOnly: true }] } }),
        ).toBe("kept");
        expect(await output(t, "cat /v/change-me", { HostConfig: { Binds: ["filled:/v"] } })).toContain("No such file");
        expect(await output(t, "cat /etc/change-me; touch /etc/mine; ls /etc/mine", { HostConfig: { Binds: ["etc:/etc"] } })).toContain(
          "change me\n/etc/mine",
        );
        await expect(t.create({ HostConfig: { Mounts: [{ Type: "bind", Source: `${dir}/none`, Target: "/x" }] } })).rejects.toThrow(
          `invalid mount config for type "bind": bind source path does not exist: ${dir}/none`,
        );
      });
    });
  });

  test("tmpfs, a read-only root and shared memory have what was asked for", async () => {
    await withEngine(async (t) => {
      const script = "touch /x; touch /t/y && echo tmp; df -k /t /dev/shm | tail -2 | awk '{print $2}'; grep ' /t ' /proc/mounts";
      const text = await output(t, script, { HostConfig: { ReadonlyRootfs: true, ShmSize: 1024 * 1024, Tmpfs: { "/t": "size=2m,exec" } } });
      expect(text).toContain("Read-only file system");
      expect(text).toContain("tmp\n2048\n1024\n");
      expect(text).not.toContain("noexec");
    });
  });

  test("volumes-from takes the mounts of another, and anonymous volumes go with -v", async () => {
    await withEngine(async (t) => {
      const first = await t.run({ Cmd: ["sh", "-c", "echo here > /data/x"], Volumes: { "/data": {} } }, "first");
      await t.exitOf(first);
      expect(await output(t, "cat /data/x; touch /data/y", { HostConfig: { VolumesFrom: ["first:ro"] } })).toMatch(/here\n.*Read-only/);
      for (const view of t.engine.views()) await t.engine.remove(NS, view.id, { force: true, volumes: true, link: false });
      expect(t.volumes.list(NS)).toEqual([]);
    });
  });

  test("the tree of a stopped container shows its volumes and leaves no mount", async () => {
    await withEngine(async (t) => {
      const id = await t.run({ Cmd: ["sh", "-c", "echo v > /data/x; echo r > /root/y"], HostConfig: { Binds: ["vol:/data"] } });
      await t.exitOf(id);
      const tree = await t.engine.openTree(NS, id);
      expect(readFileSync(join(tree.root, "data/x"), "utf8") + readFileSync(join(tree.root, "root/y"), "utf8")).toBe("v\nr\n");
      await tree.release();
      expect(readFileSync(join(t.volumes.path(NS, "vol"), "x"), "utf8")).toBe("v\n");
    });
  });
});

describe("limits", () => {
  test("limits are in the cgroup, and an update changes them while it runs", async () => {
    await withEngine(async (t) => {
      const id = await t.run({
        Cmd: ["sleep", "100"],
        StopTimeout: 0,
        HostConfig: { Memory: 64 << 20, PidsLimit: 40, NanoCpus: 500_000_000, CpuShares: 512 },
      });
      expect(cgroupFile(t, id, "pids pids.max")).toBe("40");
      expect(cgroupFile(t, id, isV2 ? "memory memory.max" : "memory memory.limit_in_bytes")).toBe(String(64 << 20));
      expect(isV2 ? cgroupFile(t, id, "cpu cpu.max") : cgroupFile(t, id, "cpu cpu.cfs_quota_us")).toBe(isV2 ? "50000 100000" : "50000");
      const body = ContainerUpdateBody.parse({ Memory: 96 << 20, MemorySwap: 96 << 20, NanoCpus: 1_000_000_000, PidsLimit: 50 });
      await t.engine.update(NS, id, { body, isExempt: true });
      expect(cgroupFile(t, id, "pids pids.max")).toBe("50");
      expect(cgroupFile(t, id, isV2 ? "memory memory.max" : "memory memory.limit_in_bytes")).toBe(String(96 << 20));
      expect(isV2 ? cgroupFile(t, id, "cpu cpu.max") : cgroupFile(t, id, "cpu cpu.cfs_quota_us")).toBe(isV2 ? "100000 100000" : "100000");
    });
  });

  test("a container that takes too much memory is ended and says so", async () => {
    await withEngine(async (t) => {
      const id = await t.run({
        Cmd: ["sh", "-c", "x=a; while :; do x=$x$x; done"],
        HostConfig: { Memory: 16 << 20, MemorySwap: 16 << 20 },
      });
      expect(await t.exitOf(id)).toBe(137);
      expect((await t.engine.inspect(NS, id, { size: false })).State.OOMKilled).toBe(true);
      expect(t.events.map((event) => event.action)).toContain("oom");
    });
  });

  test("what cannot be is refused before anything is made", async () => {
    const refused: [Record<string, unknown>, string][] = [
      [{ HostConfig: { Memory: 1024 } }, "Minimum memory limit allowed is 6MB"],
      [{ HostConfig: { NanoCpus: 1e15 } }, "Range of CPUs is from 0.01 to"],
      [{ HostConfig: { AutoRemove: true, RestartPolicy: { Name: "always" } } }, "can't create 'AutoRemove' container with restart policy"],
      [{ HostConfig: { Binds: ["a/b:/x"] } }, "includes invalid characters for a local volume name"],
      [{ HostConfig: { PortBindings: { "80/tcp": [{ HostPort: "70000" }] } } }, "invalid port specification"],
      [{ HostConfig: { CapAdd: ["FLY"] } }, 'unknown capability: "CAP_FLY"'],
      [{ HostConfig: { NetworkMode: "nowhere" } }, "network nowhere not found"],
      [{ HostConfig: { NetworkMode: "container:nobody" } }, "No such container: nobody"],
    ];
    await withEngine(async (t) => {
      for (const [body, words] of refused) await expect(t.create(body)).rejects.toThrow(words);
      expect(t.engine.views()).toEqual([]);
      expect(t.images.listRootfs()).toEqual([]);
      expect(t.volumes.list(NS)).toEqual([]);
    });
  });
});
