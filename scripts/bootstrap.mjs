#!/usr/bin/env node
// Brings a bare machine to where Flotilla can run, then runs the named command under Node 24.
// This file is plain JavaScript for Node 20: it runs before anything is installed.
//
//   node scripts/bootstrap.mjs start|test|check|fix|bench|peer|image|lab|soak|fuzz|screenshots|flotilla [arguments…]
//
// What is present is not touched: with nothing missing it adds a few tens of milliseconds.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { accessSync, constants, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const TOOLS = join(ROOT, ".tools");
const NODE_VERSION = "24.21.0";
const PNPM_VERSION = "12.21.0";
/** Compiles node-pty against the headers that come with the Node package, so nothing is downloaded for it. */
const NODE_GYP_VERSION = "13.1.0";
const NODE_PACKAGE = `node-linux-${process.arch === "arm64" ? "arm64" : "x64"}`;
const NODE_BIN = join(TOOLS, "node_modules", NODE_PACKAGE, "bin");
const PNPM = join(TOOLS, "node_modules", "pnpm", "bin", "pnpm.mjs");

/** Commands the product needs, and the Debian package that brings each. */
const RUNTIME_PACKAGES = JSON.parse(readFileSync(join(ROOT, "agent", "debian-packages.json"), "utf8"));
/** node-pty has no prebuilt binary for Linux and is compiled once. */
const BUILD_PACKAGES = { make: "build-essential", "g++": "build-essential", python3: "python3" };
const TEST_PACKAGES = {
  chromium: "chromium",
  curl: "curl",
  "/bin/busybox": "busybox-static",
  docker: "docker.io",
  mmdebstrap: "mmdebstrap",
  ping: "iputils-ping",
  "docker-compose": "docker-compose",
  "docker-registry": "docker-registry",
  skopeo: "skopeo",
  umoci: "umoci",
  openssl: "openssl",
  "wireguard-go": "wireguard-go",
  "/etc/ssl/certs/ca-certificates.crt": "ca-certificates",
};

/** Clocks of hosts that are wrong. */
const CLOCK_PACKAGES = { faketime: "faketime" };

/** The peer that the benchmarks and `npm run peer` compare with. */
const BENCH_PACKAGES = { dockerd: "docker.io" };

const NEEDS = {
  start: [RUNTIME_PACKAGES, BUILD_PACKAGES],
  test: [RUNTIME_PACKAGES, BUILD_PACKAGES, TEST_PACKAGES],
  bench: [RUNTIME_PACKAGES, BUILD_PACKAGES, TEST_PACKAGES, BENCH_PACKAGES],
  peer: [BUILD_PACKAGES, TEST_PACKAGES, BENCH_PACKAGES],
  image: [BUILD_PACKAGES, { docker: "docker.io" }],
  lab: [RUNTIME_PACKAGES, BUILD_PACKAGES, TEST_PACKAGES, CLOCK_PACKAGES],
  soak: [RUNTIME_PACKAGES, BUILD_PACKAGES, TEST_PACKAGES, CLOCK_PACKAGES],
  fuzz: [RUNTIME_PACKAGES, BUILD_PACKAGES, TEST_PACKAGES],
  screenshots: [RUNTIME_PACKAGES, BUILD_PACKAGES, TEST_PACKAGES],
  check: [BUILD_PACKAGES],
  fix: [BUILD_PACKAGES],
  flotilla: [],
};

const COMMANDS = {
  start: () => ["apps/cli/src/main.ts", "up", ...rest],
  test: () => ["scripts/test.ts", ...rest],
  check: () => ["scripts/check.ts", ...rest],
  fix: () => ["scripts/check.ts", "--fix", ...rest],
  bench: () => ["bench/main.ts", ...rest],
  peer: () => ["scripts/peer.ts", ...rest],
  image: () => ["scripts/image.ts", ...rest],
  lab: () => ["scripts/lab.ts", ...rest],
  soak: () => ["test/soak/main.ts", ...rest],
  fuzz: () => ["test/fuzz/main.ts", ...rest],
  screenshots: () => ["scripts/screenshots.ts", ...rest],
  flotilla: () => (isCompose ? [COMPOSE_BUNDLE, ...rest] : [join(ROOT, "apps/cli/src/main.ts"), ...rest]),
};

const [command = "", ...rest] = process.argv.slice(2);
/** `flotilla compose` is called often: it runs from one bundle instead of some three hundred source files, in a third of the time. */
const isCompose = command === "flotilla" && (rest[0] === "compose" || (rest[0] === "--json" && rest[1] === "compose"));
const COMPOSE_BUNDLE = join(ROOT, "dist", "compose", "main.mjs");
const COMPOSE_STAMP = join(ROOT, "dist", "compose", "sources");
/** What `scripts/flotilla` begins from: a line about what made it, the path of its Node, and beside it the snapshot. */
const COMPOSE_START = join(ROOT, "dist", "compose", "start");
if (!(command in COMMANDS)) fail(`usage: bootstrap.mjs ${Object.keys(COMMANDS).join("|")} [arguments…]`);
if (Number(process.versions.node.split(".")[0]) < 20)
  fail(`Node ${process.versions.node} is too old: Flotilla starts from Node 20 or newer.`);

if (!isCompose || !isComposeBundled()) {
  ensureDebianPackages(Object.assign({}, ...NEEDS[command]));
  ensureTools();
  ensureDependencies();
  if (isCompose) bundleCompose();
  else ensurePrismaClient();
}
if (isCompose) snapshotCompose();
if (isCompose && Number(process.versions.node.split(".")[0]) >= 24) await runHere();
else run();

function fail(message) {
  process.stderr.write(`flotilla: ${message}\n`);
  process.exit(1);
}

function say(message) {
  process.stderr.write(`flotilla: ${message}\n`);
}

function exists(path, mode = constants.F_OK) {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}

function isPresent(need) {
  if (need.startsWith("/")) return exists(need);
  if (need.startsWith("lib:")) {
    const multiarch = process.arch === "arm64" ? "aarch64-linux-gnu" : "x86_64-linux-gnu";
    return [`/usr/lib/${multiarch}`, "/usr/lib", "/usr/lib64"].some((dir) => exists(join(dir, need.slice(4))));
  }
  const path = `${process.env.PATH ?? ""}:/usr/local/sbin:/usr/sbin:/sbin`;
  return path.split(":").some((dir) => dir !== "" && exists(join(dir, need), constants.X_OK));
}

function ensureDebianPackages(needs) {
  const missing = [
    ...new Set(
      Object.keys(needs)
        .filter((need) => !isPresent(need))
        .map((need) => needs[need]),
    ),
  ];
  if (missing.length === 0) return;
  if (process.getuid?.() !== 0) fail(`these Debian packages are missing and only root can install them: ${missing.join(" ")}`);
  if (!isPresent("apt-get")) fail(`these packages are missing and there is no apt-get to install them: ${missing.join(" ")}`);
  say(`installing Debian packages: ${missing.join(" ")}`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  // Debian's docker.io wants to start a daemon; only its client is of use here.
  const policy = "/usr/sbin/policy-rc.d";
  const ownPolicy = !existsSync(policy);
  if (ownPolicy) writeFileSync(policy, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  try {
    checked(["apt-get", "update", "-qq"], { env });
    checked(["apt-get", "install", "-y", "-qq", "--no-install-recommends", ...missing], { env });
  } finally {
    if (ownPolicy) spawnSync("rm", ["-f", policy]);
  }
}

function ensureTools() {
  const stamp = `${NODE_PACKAGE}@${NODE_VERSION} pnpm@${PNPM_VERSION} node-gyp@${NODE_GYP_VERSION}`;
  const stampFile = join(TOOLS, "versions");
  if (exists(stampFile) && readFileSync(stampFile, "utf8") === stamp && exists(join(NODE_BIN, "node"), constants.X_OK)) return;
  say(`installing Node ${NODE_VERSION} and pnpm ${PNPM_VERSION} into .tools`);
  mkdirSync(TOOLS, { recursive: true });
  writeFileSync(join(TOOLS, "package.json"), '{ "private": true }\n');
  checked(
    [
      "npm",
      "install",
      "--no-audit",
      "--no-fund",
      "--loglevel=error",
      `${NODE_PACKAGE}@${NODE_VERSION}`,
      `pnpm@${PNPM_VERSION}`,
      `node-gyp@${NODE_GYP_VERSION}`,
    ],
    { cwd: TOOLS },
  );
  writeFileSync(stampFile, stamp);
}

function ensureDependencies() {
  const stampFile = join(TOOLS, "installed");
  const digest = createHash("sha256")
    .update(readFileSync(join(ROOT, "pnpm-lock.yaml")))
    .update(NODE_VERSION)
    .digest("hex");
  if (exists(stampFile) && readFileSync(stampFile, "utf8") === digest && exists(join(ROOT, "node_modules"))) return;
  say("installing npm packages");
  checked([join(NODE_BIN, "node"), PNPM, "install", "--frozen-lockfile", "--reporter=append-only", "--loglevel=warn"], {
    cwd: ROOT,
    env: { ...toolEnv(), CI: "true", npm_config_nodedir: dirname(NODE_BIN) },
  });
  writeFileSync(stampFile, digest);
}

/** `prisma generate` needs no engine of its own, but looks for one: any executable file satisfies it. */
function ensurePrismaClient() {
  const schema = join(ROOT, "prisma", "schema.prisma");
  if (!exists(schema)) return;
  const stampFile = join(TOOLS, "prisma-client");
  const digest = createHash("sha256").update(readFileSync(schema)).digest("hex");
  const generated = join(ROOT, "packages", "db", "src", "generated", "prisma", "client.ts");
  if (exists(stampFile) && readFileSync(stampFile, "utf8") === digest && exists(generated)) return;
  say("generating the database client");
  const prisma = join(ROOT, "node_modules", "prisma", "build", "index.js");
  const env = { ...toolEnv(), PRISMA_SCHEMA_ENGINE_BINARY: "/bin/true", PRISMA_HIDE_UPDATE_MESSAGE: "1", CHECKPOINT_DISABLE: "1" };
  checked([join(NODE_BIN, "node"), prisma, "generate"], { cwd: ROOT, env });
  writeFileSync(stampFile, digest);
}

/** Whether the bundle is of the sources and packages as they are, told by sizes and times: this is a part of each start. */
function isComposeBundled() {
  return exists(COMPOSE_STAMP) && readFileSync(COMPOSE_STAMP, "utf8") === describeComposeSources();
}

function describeComposeSources() {
  const modules = join(dirname(COMPOSE_BUNDLE), "modules");
  if (!exists(modules)) return "";
  const files = [
    "pnpm-lock.yaml",
    ".tools/installed",
    ".tools/versions",
    "scripts/bundle-compose.ts",
    "scripts/bootstrap.mjs",
    ...readFileSync(modules, "utf8").split("\n"),
  ];
  const lines = files.map((name) => {
    const found = statSync(join(ROOT, name), { throwIfNoEntry: false });
    return `${name} ${found?.mtimeMs} ${found?.size}`;
  });
  return `node ${NODE_VERSION}, pnpm ${PNPM_VERSION}\n${lines.join("\n")}`;
}

function bundleCompose() {
  checked([join(NODE_BIN, "node"), "--disable-warning=ExperimentalWarning", join(ROOT, "scripts", "bundle-compose.ts")], {
    cwd: ROOT,
    env: toolEnv(),
  });
  writeFileSync(COMPOSE_STAMP, describeComposeSources());
}

/**
 * Makes the start-up snapshot of `flotilla compose` where there is none of this bundle, by this Node, on this machine since its start (on
 * another processor Node would refuse it). Without it the command only starts slower: what fails is not tried again.
 */
function snapshotCompose() {
  const made = describeSnapshotMaker();
  const dir = dirname(COMPOSE_START);
  if (made === "" || (exists(COMPOSE_START) && readFileSync(COMPOSE_START, "utf8").startsWith(`${made}\n`))) return;
  if (process.env.NODE_OPTIONS || !exists(dir, constants.W_OK)) return;
  const node = join(NODE_BIN, "node");
  const fresh = `${COMPOSE_START}.${process.pid}`;
  const options = { env: toolEnv(), stdio: "ignore", timeout: 60_000 };
  try {
    spawnSync(node, ["--snapshot-blob", `${fresh}.blob`, "--build-snapshot", join(dir, "snapshot.cjs")], options);
    // Once before anybody depends on it.
    const begins = spawnSync(node, ["--snapshot-blob", `${fresh}.blob`, "--", ROOT, "compose", "--version"], options);
    if (begins.status === 0) renameSync(`${fresh}.blob`, `${COMPOSE_START}.blob`);
    writeFileSync(fresh, `${made}\n${begins.status === 0 ? relative(ROOT, node) : "none"}\n`);
    renameSync(fresh, COMPOSE_START);
  } catch {
    // Another process makes it too, or the disk is full.
  } finally {
    for (const path of [fresh, `${fresh}.blob`]) rmSync(path, { force: true });
  }
}

/** The tools and the start of the machine, as `scripts/flotilla` puts them together; empty where the kernel does not tell. */
function describeSnapshotMaker() {
  const boot = "/proc/sys/kernel/random/boot_id";
  return exists(boot) ? `${readFileSync(join(TOOLS, "versions"), "utf8")} ${readFileSync(boot, "utf8").trim()}` : "";
}

function toolEnv() {
  return {
    ...process.env,
    PATH: `${NODE_BIN}:${join(TOOLS, "node_modules", ".bin")}:${process.env.PATH ?? ""}:/usr/local/sbin:/usr/sbin:/sbin`,
  };
}

/** Runs an installer to its end; what it prints is shown only when it fails. */
function checked(argv, options) {
  const result = spawnSync(argv[0], argv.slice(1), { stdio: ["ignore", "pipe", "pipe"], maxBuffer: 256 * 1024 * 1024, ...options });
  if (result.error) fail(`${argv[0]}: ${result.error.message}`);
  if (result.status === 0) return;
  process.stderr.write(`${result.stdout}${result.stderr}`);
  fail(`${argv.slice(0, 3).join(" ")} ended with ${result.status ?? result.signal}. Its output is above.`);
}

/** Without a second process: its start is a third of what a `compose up` with nothing to do takes. */
async function runHere() {
  process.argv = [process.execPath, COMPOSE_BUNDLE, ...rest];
  await import(pathToFileURL(COMPOSE_BUNDLE).href);
}

function run() {
  const args = COMMANDS[command]();
  const cwd = command === "flotilla" ? process.cwd() : ROOT;
  const child = spawn(join(NODE_BIN, "node"), ["--disable-warning=ExperimentalWarning", ...args], {
    cwd,
    env: toolEnv(),
    stdio: "inherit",
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => fail(error.message));
  child.on("exit", (code, signal) => process.exit(code ?? 128 + (signal === "SIGINT" ? 2 : 15)));
}
