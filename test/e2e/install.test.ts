// A bare Debian becomes a host by the one command that the page shows, is brought up to date by the same, and is left clean.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ensureAgentBundle } from "../../apps/cli/src/bundle/agent-bundle.ts";
import { debianTar } from "../support/debian-root.ts";
import { runCommand, type CommandResult } from "../support/docker.ts";
import { ADMIN, type Product, startProduct } from "../support/product.ts";
import { makeBusyboxTar } from "../support/busybox-image.ts";

let product: Product;
let root: string;

beforeAll(async () => {
  await ensureAgentBundle(() => undefined);
  product = await startProduct({ withAdmin: true });
  root = mkdtempSync(join(tmpdir(), "fl-bare-"));
  const unpacked = await runCommand(["tar", "-xf", await debianTar(), "-C", root], { timeoutMs: 120_000 });
  expect(unpacked, unpacked.stderr).toMatchObject({ exitCode: 0 });
  for (const place of ["proc", "sys", "dev"]) mkdirSync(join(root, place), { recursive: true });
}, 600_000);
afterAll(async () => {
  await product?.close();
  if (root !== undefined) rmSync(root, { recursive: true, force: true });
});

/**
 * Runs a script as root of the bare machine: a root directory, mounts and processes of its own, on this kernel and network.
 * When the script has ended the kernel ends what it started, as a machine that is switched off does.
 */
async function onBareMachine(script: string): Promise<CommandResult> {
  const mounts = [
    `mount --bind ${root} ${root}`,
    `mount -t proc proc ${root}/proc`,
    `mount --rbind /sys ${root}/sys`,
    `mount --rbind /dev ${root}/dev`,
    `mount -t tmpfs tmpfs ${root}/run`,
    `cp /etc/resolv.conf ${root}/etc/resolv.conf`,
  ];
  const inside = `exec chroot ${root} /bin/sh -eu -c "$1"`;
  const namespaces = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--propagation", "private"] as const;
  return runCommand([...namespaces, "sh", "-eu", "-c", `${mounts.join("\n")}\n${inside}`, "sh", script], { timeoutMs: 300_000 });
}

async function procedure(path: string, input?: unknown): Promise<unknown> {
  const query = input === undefined ? {} : { method: "POST", body: JSON.stringify(input) };
  const headers = { authorization: `Bearer ${ADMIN.token}`, "content-type": "application/json" };
  const response = await fetch(`${product.url}/api/trpc/${path}`, { ...query, headers });
  const body = (await response.json()) as { result?: { data: unknown } };
  expect(response.status, JSON.stringify(body)).toBe(200);
  return body.result?.data;
}

async function hostState(name: string): Promise<string | undefined> {
  const hosts = (await procedure("hosts.list")) as { name: string; state: string }[];
  return hosts.find((host) => host.name === name)?.state;
}

test("the script has help, and says what is wrong before it does anything", async () => {
  const help = await onBareMachine(`curl -fsSL ${product.url}/install.sh | sh -s -- --help`);
  expect(help).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("--uninstall") as string });
  const noToken = await onBareMachine(`curl -fsSL ${product.url}/install.sh | sh`);
  expect(noToken).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("--token is missing") as string });
  const unknown = await onBareMachine(`curl -fsSL ${product.url}/install.sh | sh -s -- --frobnicate`);
  expect(unknown).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("unknown option: --frobnicate") as string });
  expect(existsSync(join(root, "opt/flotilla"))).toBe(false);
});

test("one command makes a bare Debian a host that runs containers; again it changes nothing; --uninstall leaves nothing", async () => {
  const { command } = (await procedure("hosts.joinTokens.create", { name: "bare", expiresInMinutes: 10, uses: 1 })) as { command: string };
  expect(command).toContain(`${product.url}/install.sh | sh -s -- --token flj1.`);
  const tar = await makeBusyboxTar(product.dir);
  const copied = await runCommand(["cp", tar, join(root, "busybox.tar")]);
  expect(copied.exitCode).toBe(0);
  const seen: (string | undefined)[] = [];
  const watching = setInterval(() => void hostState("bare").then((state) => seen.push(state), () => undefined), 300); // prettier-ignore
  const machine = await onBareMachine(`
    ${command}
    docker() { curl -fsS --unix-socket /run/flotilla/engine.sock "$@"; }
    docker -X POST -T /busybox.tar 'http://d/images/create?fromSrc=-&repo=busybox&tag=latest' >/dev/null
    docker -X POST -H 'Content-Type: application/json' -d '{"Image":"busybox","Cmd":["sleep","1000"],"HostConfig":{"RestartPolicy":{"Name":"always"}}}' 'http://d/containers/create?name=kept' >/dev/null
    docker -X POST http://d/containers/kept/start
    echo "before: $(docker http://d/containers/kept/json | grep -o '"Pid":[0-9]*' | head -n 1)"
    # Brought up to date while containers run: the agent is another process, the container the same.
    curl -fsSL ${product.url}/install.sh | sh
    echo "after: $(docker http://d/containers/kept/json | grep -o '"Pid":[0-9]*' | head -n 1)"
    flotilla --version
    curl -fsSL ${product.url}/install.sh | sh -s -- --uninstall --yes
    echo "left: $(ls -d /opt/flotilla /var/lib/flotilla/agent /etc/flotilla /usr/local/bin/flotilla /run/flotilla/engine.sock 2>/dev/null | tr '\\n' ' ')"
    echo "processes: $(ps -eo args | grep -c '[c]onmon\\|[a]gent/src/main\\|[s]leep 1000' || true)"
    echo "mounts: $(grep -c ' /var/lib/flotilla\\| /run/flotilla' /proc/mounts || true)"
  `);
  clearInterval(watching);
  expect(machine.exitCode, `${machine.stdout}\n${machine.stderr}`).toBe(0);
  const line = (name: string): string | undefined => new RegExp(`^${name}: ?(.*)$`, "m").exec(machine.stdout)?.[1];
  expect(line("before")).toMatch(/^"Pid":[1-9]/);
  expect(line("after")).toBe(line("before"));
  expect([line("left"), line("processes"), line("mounts")]).toEqual(["", "0", "0"]);
  expect(seen).toContain("online");
  await expect.poll(() => hostState("bare")).toBe("offline");
  expect(readdirSync(join(root, "opt"))).toEqual([]);
}, 400_000);

test("a damaged bundle is refused by its digest", async () => {
  const { command } = (await procedure("hosts.joinTokens.create", { expiresInMinutes: 10, uses: 1 })) as { command: string };
  // As if something on the way changed it: the script expects another digest.
  const changed = command.replace("| sh -s", `| sed 's/digest=[0-9a-f]*/digest=${"0".repeat(64)}/' | sh -s`);
  const refused = await onBareMachine(changed);
  expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("the download is damaged") as string });
  expect(existsSync(join(root, "usr/local/bin/flotilla"))).toBe(false);
});
