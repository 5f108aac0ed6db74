import { quiet, says, step, type PeerCase } from "../peer-case.ts";

/** A case of one `docker run --rm busybox …`. */
function run(name: string, options: readonly string[], ...command: string[]): PeerCase {
  return { name, steps: [step("run", "--rm", ...options, "busybox", ...command)] };
}

const sh = (script: string): [string, string, string] => ["sh", "-c", script];

/** Exit codes of `docker run`, `exec`, `wait`, `stop` and `kill`. */
const EXITS: readonly PeerCase[] = [
  run("the exit code is the command's", [], ...sh("exit 42")),
  { name: "a command that is not found", steps: [says(["executable file not found", "no such file"], "run", "--rm", "busybox", "nosuch")] },
  { name: "a path that is not there", steps: [says(["no such file or directory"], "run", "--rm", "busybox", "/no/such")] },
  { name: "a file that is no program", steps: [says(["permission denied"], "run", "--rm", "busybox", "/etc/passwd")] },
  { name: "a directory as the command", steps: [says(["permission denied", "is a directory"], "run", "--rm", "busybox", "/etc")] },
  { name: "an option that is refused", steps: [says(["minimum memory limit"], "run", "--rm", "--memory", "1k", "busybox", "true")] },
  {
    name: "a user who does not exist",
    steps: [says(["unable to find user nosuch"], "run", "--rm", "--user", "nosuch", "busybox", "true")],
  },
  {
    name: "wait, and what is told of an ended container",
    steps: [
      quiet("run", "-d", "--name", "{box}", "busybox", ...sh("echo out; echo err >&2; exit 5")),
      step("wait", "{box}"),
      step("logs", "{box}"),
      step(
        "inspect",
        "--format",
        "{{.State.Status}} {{.State.ExitCode}} {{.State.OOMKilled}} {{.State.Error}} {{.Path}} {{json .Args}} {{.RestartCount}}",
        "{box}",
      ),
      says(["is not running"], "exec", "{box}", "true"),
      says(["is not running"], "kill", "{box}"),
      step("stop", "{box}"),
    ],
  },
  {
    name: "kill and its signal in the exit code",
    steps: [quiet("run", "-d", "--name", "{box}", "busybox", "sleep", "60"), quiet("kill", "-s", "KILL", "{box}"), step("wait", "{box}")],
  },
  {
    name: "exec and its exit codes",
    steps: [
      quiet("run", "-d", "--name", "{box}", "-e", "A=1", "-w", "/etc", "busybox", "sleep", "60"),
      step("exec", "{box}", ...sh("echo $A $B; pwd; exit 3")),
      step("exec", "-e", "B=2", "-w", "/tmp", "-u", "nobody", "{box}", ...sh("echo $A $B; pwd; id -u")),
      says(["executable file not found"], "exec", "{box}", "nosuch"),
      says(["permission denied"], "exec", "{box}", "/etc/passwd"),
      { argv: ["exec", "-i", "{box}", "cat"], input: "typed\n" },
    ],
  },
  {
    name: "names and what is missing",
    steps: [
      quiet("create", "--name", "{box}", "busybox"),
      says(["conflict", "already in use"], "create", "--name", "{box}", "busybox"),
      says(["no such container"], "start", "{box}-none"),
      says(["no such image"], "image", "inspect", "{image}-none"),
      says(["no such volume"], "volume", "inspect", "{volume}"),
      says(["no such object"], "inspect", "{box}-none"),
      says(["is not running"], "pause", "{box}"),
    ],
  },
];

/** What a volume begins with. */
const VOLUMES: readonly PeerCase[] = [
  {
    name: "a new volume begins as the image's directory",
    steps: [
      step("run", "--rm", "-v", "{volume}:/etc", "busybox", ...sh("cat /etc/remove-me; rm /etc/remove-me")),
      step("run", "--rm", "-v", "{volume}:/etc", "busybox", ...sh("ls /etc | grep -v -e resolv -e host -e mtab")),
      step("run", "--rm", "-v", "{volume}:/new", "busybox", ...sh("ls /new | grep -v -e resolv -e host -e mtab")),
    ],
  },
  {
    name: "volumes keep owner and mode of the image's directory",
    files: { Dockerfile: "FROM busybox\nRUN mkdir -m 1750 /v && chown 5:6 /v\n" },
    steps: [
      quiet("build", "-t", "{image}", "{dir}"),
      step("run", "--rm", "-v", "{volume}:/v", "{image}", "stat", "-c", "%a %u:%g", "/v"),
      step("run", "--rm", "-v", "/v", "{image}", "stat", "-c", "%a %u:%g", "/v"),
    ],
  },
  {
    name: "volume-nocopy",
    steps: [step("run", "--rm", "--mount", "type=volume,src={volume},dst=/etc/x,volume-nocopy", "busybox", "ls", "-A", "/etc/x")],
  },
  {
    name: "a read-only mount",
    steps: [
      says(["read-only file system"], "run", "--rm", "-v", "{volume}:/v:ro", "busybox", "touch", "/v/f"),
      says(["read-only file system"], "run", "--rm", "--read-only", "busybox", "touch", "/f"),
      says(["read-only file system"], "run", "--rm", "--read-only", "--tmpfs", "/t", "busybox", "touch", "/t/f"),
    ],
  },
  {
    name: "a bind of a directory that is not there",
    steps: [
      says(["does not exist"], "run", "--rm", "--mount", "type=bind,src={dir}/none,dst=/x", "busybox", "true"),
      step("run", "--rm", "-v", "{dir}/made:/x", "busybox", "ls", "-A", "/x"),
    ],
  },
  {
    name: "volumes from another container",
    steps: [
      quiet("run", "--name", "{box}", "-v", "/v", "busybox", "touch", "/v/f"),
      step("run", "--rm", "--volumes-from", "{box}:ro", "busybox", ...sh("ls /v; touch /v/g || echo refused")),
    ],
  },
  {
    name: "a volume in use",
    steps: [quiet("create", "--name", "{box}", "-v", "{volume}:/v", "busybox"), says(["volume is in use"], "volume", "rm", "{volume}")],
  },
];

/** Options of `docker run`, as the program inside sees them. */
const OPTIONS: readonly PeerCase[] = [
  run("the environment", ["-e", "A=1", "-e", "B=a b", "--hostname", "h1"], ...sh("env | sort | grep -v -e SHLVL -e PWD")),
  run("workdir that is not there", ["-w", "/x/y"], ...sh("pwd; stat -c '%a %u' /x")),
  run("user and groups", ["-u", "7:8", "--group-add", "extra"], "id"),
  run("a user of the image has its groups", ["-u", "nobody"], "id"),
  run("hostname and domain", ["--hostname", "h1", "--domainname", "d.test"], ...sh("hostname; cat /proc/sys/kernel/domainname")),
  run(
    "hosts and resolver",
    ["--add-host", "a.test:10.1.2.3", "--dns", "192.0.2.1", "--dns-search", "s.test", "--dns-option", "ndots:2", "--network", "none"],
    ...sh("grep a.test /etc/hosts; grep -v '^#' /etc/resolv.conf | sort"),
  ),
  run("capabilities by default", [], ...sh("grep -e CapBnd -e CapEff -e NoNewPrivs /proc/self/status")),
  run("capabilities taken and given", ["--cap-drop", "ALL", "--cap-add", "CHOWN"], "grep", "Cap", "/proc/self/status"),
  run("capabilities of another user", ["-u", "1"], "grep", "Cap", "/proc/self/status"),
  run("no new privileges", ["--security-opt", "no-new-privileges"], "grep", "NoNewPrivs", "/proc/self/status"),
  run("ulimits", ["--ulimit", "nofile=100:200"], ...sh("ulimit -n; ulimit -Hn")),
  run(
    "shared memory and tmpfs",
    ["--shm-size", "8m", "--tmpfs", "/t:size=1m,mode=700"],
    ...sh("df -k /dev/shm /t | awk 'NR>1 {print $2, $6}'; stat -c %a /t"),
  ),
  run("sysctl", ["--sysctl", "net.ipv4.ip_unprivileged_port_start=7"], "cat", "/proc/sys/net/ipv4/ip_unprivileged_port_start"),
  run("the list of mounts in /etc", [], "readlink", "/etc/mtab"),
  run("devices", [], ...sh("ls /dev | sort")),
  run(
    "masked paths",
    [],
    ...sh("wc -c < /proc/kcore; ls /sys/firmware | wc -l; touch /proc/sys/kernel/x 2>&1; touch /proc/sys/kernel/hostname 2>&1"),
  ),
  run("no network", ["--network", "none"], ...sh("ls /sys/class/net")),
  run("init as process 1", ["--init"], ...sh("echo $$ | grep -c '^1$'")),
  { name: "stdin goes in", steps: [{ argv: ["run", "--rm", "-i", "busybox", "cat"], input: "typed\n" }] },
  {
    name: "commit and its changes",
    steps: [
      quiet("run", "--name", "{box}", "-e", "A=1", "-w", "/tmp", "busybox", "touch", "/f"),
      quiet("commit", "--change", "ENV B=2", "--change", 'CMD ["ls","/f"]', "-m", "words", "-a", "me", "{box}", "{image}"),
      step(
        "image",
        "inspect",
        "--format",
        "{{json .Config.Env}} {{json .Config.Cmd}} {{.Config.WorkingDir}} {{.Author}} {{.Comment}}",
        "{image}",
      ),
      step("run", "--rm", "{image}"),
    ],
  },
];

export const RUN_CASES: readonly PeerCase[] = [...EXITS, ...VOLUMES, ...OPTIONS];
