// `npm run screenshots`: every page of the dashboard in both themes, wide and on a phone, on a real product with real
// containers, into .screenshots/. To look at what a change did, and to renew docs/screenshots/.
//
//   npm run screenshots                    everything
//   npm run screenshots -- containers run  pages whose name begins so
//   npm run screenshots -- --lang zh
//
// Says too what is wider than the screen, and what axe finds that keeps somebody out.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { findBarriers } from "../test/support/axe.ts";
import { makeBusyboxTar } from "../test/support/busybox-image.ts";
import { ADMIN, type Product, startProduct } from "../test/support/product.ts";
import { openUse, planNotes, writeBroken, writeMistakes } from "./screenshot-editor.ts";
import { fillSettings } from "./screenshot-settings.ts";
import { callProduct, deployStacks, removeStacks } from "./screenshot-stacks.ts";

const OUT = join(import.meta.dirname, "..", ".screenshots");
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"];
const SIZES = { desktop: { width: 1280, height: 800 }, phone: { width: 360, height: 740 } } as const;
const THEMES = ["light", "dark"] as const;
/** Charts and live figures need a few samples. */
const SETTLE_MS = 1_500;

const args = process.argv.slice(2);
const langAt = args.indexOf("--lang");
const language = langAt === -1 ? "en" : (args[langAt + 1] ?? "en");

type Shot = { name: string; path: string; prepare?: (page: Page) => Promise<void> };

const clickButton = (name: string) => async (page: Page) => page.getByRole("button", { name, exact: true }).first().click();

const SHOTS: readonly Shot[] = [
  { name: "overview", path: "/" },
  { name: "hosts", path: "/hosts" },
  { name: "hosts-add", path: "/hosts?add=1" },
  { name: "host", path: "/hosts/local" },
  { name: "host-containers", path: "/hosts/local?tab=containers" },
  { name: "host-info", path: "/hosts/local?tab=info" },
  { name: "containers", path: "/containers" },
  { name: "containers-filtered", path: "/containers?q=wor" },
  { name: "container-status", path: "/containers/local/web" },
  { name: "container-logs", path: "/containers/local/web?tab=logs" },
  { name: "container-terminal", path: "/containers/local/web?tab=terminal", prepare: typeInTerminal },
  { name: "container-stats", path: "/containers/local/web?tab=stats", prepare: async (page) => page.waitForTimeout(6_000) },
  { name: "container-processes", path: "/containers/local/web?tab=processes" },
  { name: "container-mounts", path: "/containers/local/web?tab=mounts" },
  { name: "container-inspect", path: "/containers/local/web?tab=inspect" },
  { name: "container-ended", path: "/containers/local/migrate" },
  { name: "container-unhealthy", path: "/containers/local/api" },
  { name: "container-missing", path: "/containers/local/nothere" },
  { name: "run", path: "/run" },
  { name: "images", path: "/images" },
  { name: "images-build", path: "/images?build=1" },
  { name: "images-upload", path: "/images?upload=1" },
  { name: "images-operation", path: "/images", prepare: startPull },
  { name: "image", path: "/images/local/shop%3A1.2" },
  { name: "image-files", path: "/images/local/shop%3Anext", prepare: openLayer },
  { name: "volumes", path: "/volumes" },
  { name: "volume", path: "/volumes/local/shop-data" },
  { name: "networks", path: "/networks" },
  { name: "stacks", path: "/stacks" },
  { name: "stacks-adopt", path: "/stacks", prepare: planAdoption },
  { name: "stack", path: "/stacks/shop" },
  { name: "stack-failed", path: "/stacks/blog" },
  { name: "stack-deployments", path: "/stacks/shop?tab=deployments" },
  { name: "deployments", path: "/deployments" },
  { name: "stack-revisions", path: "/stacks/shop?tab=revisions" },
  { name: "stack-logs", path: "/stacks/shop?tab=logs" },
  { name: "deploy", path: "/deploy", prepare: async (page) => page.waitForTimeout(1_000) },
  { name: "deploy-plan", path: "/deploy?stack=shop", prepare: clickButton(language === "zh" ? "生成计划" : "Plan") },
  { name: "deploy-mistakes", path: "/deploy", prepare: writeMistakes },
  { name: "deploy-broken", path: "/deploy", prepare: writeBroken },
  { name: "deploy-notes", path: "/deploy", prepare: planNotes },
  { name: "secrets", path: "/secrets" },
  { name: "configs", path: "/secrets?tab=configs" },
  { name: "stack-variables", path: "/stacks/shop?tab=variables" },
  { name: "stack-use", path: "/stacks/shop", prepare: openUse },
  { name: "networks-map", path: "/networks?tab=map" },
  { name: "networks-mesh", path: "/networks?tab=mesh" },
  { name: "networks-ports", path: "/networks?tab=ports" },
  { name: "networks-reach", path: "/networks?tab=reach&from=local/worker-1&to=local/web&port=8080", prepare: look },
  { name: "registry", path: "/registry" },
  { name: "registry-upstreams", path: "/registry?tab=upstreams" },
  { name: "registry-upstreams-add", path: "/registry?tab=upstreams", prepare: clickButton("Add upstream") },
  { name: "registry-space", path: "/registry?tab=space" },
  { name: "registry-repository", path: "/registry/team/shop" },
  { name: "registry-retention", path: "/registry/team/shop?tab=retention" },
  { name: "registry-settings", path: "/registry/team/shop?tab=settings" },
  { name: "activity", path: "/activity" },
  { name: "settings", path: "/settings" },
  { name: "settings-members", path: "/settings?tab=members" },
  {
    name: "settings-access",
    path: "/settings?tab=members",
    prepare: clickButton(language === "zh" ? "可以做什么？" : "What can they do?"),
  },
  { name: "settings-security", path: "/settings?tab=security" },
  { name: "settings-roles", path: "/settings?tab=roles" },
  { name: "settings-role", path: "/settings?tab=roles", prepare: clickButton(language === "zh" ? "新建角色" : "New role") },
  { name: "settings-teams", path: "/settings?tab=teams" },
  { name: "settings-people", path: "/settings?tab=people" },
  { name: "host-sharing", path: "/hosts/local?tab=sharing", prepare: clickButton(language === "zh" ? "共享给团队" : "Share with a team") },
  { name: "host-guards", path: "/hosts/local?tab=guards" },
  { name: "settings-tokens", path: "/settings?tab=tokens" },
  { name: "settings-token", path: "/settings?tab=tokens", prepare: narrowToken },
  { name: "settings-accounts", path: "/settings?tab=accounts" },
  { name: "settings-webhooks", path: "/settings?tab=webhooks" },
  { name: "settings-webhook", path: "/settings?tab=webhooks", prepare: clickButton(language === "zh" ? "新建 Webhook" : "New webhook") },
  { name: "settings-deliveries", path: "/settings?tab=webhooks", prepare: openDelivery },
  { name: "settings-guards", path: "/settings?tab=guards" },
  { name: "settings-join", path: "/settings?tab=join" },
  { name: "settings-appearance", path: "/settings?tab=appearance" },
  { name: "help", path: "/help" },
  { name: "help-api", path: "/help?tab=api", prepare: openOperation },
  { name: "palette", path: "/", prepare: async (page) => page.keyboard.press("Control+k") },
  { name: "shortcuts", path: "/", prepare: async (page) => page.keyboard.press("?") },
];

async function planAdoption(page: Page): Promise<void> {
  await clickButton(language === "zh" ? "接管 local 上的 legacy" : "Adopt legacy on local")(page);
  await page.locator("[data-plan]").waitFor();
  await page.waitForTimeout(500);
}

const wanted = args.filter((arg, at) => !arg.startsWith("--") && (langAt === -1 || at !== langAt + 1));
const product = await startProduct({ withAdmin: true });

const SERVER =
  'mkdir -p /www; echo hello > /www/index.html; httpd -p 8080 -h /www; i=0; while true; do i=$((i+1)); echo "GET /items/$i 200 $((i*7%40))ms"; sleep 1; done';
const MIGRATION = `echo 'applying 003_orders.sql'; echo 'ERROR: relation "orders" already exists' >&2; exit 3`;

/** What runs: options in words, then what the shell of the container is given. */
const CONTAINERS: readonly (readonly [options: string, script: string])[] = [
  [
    "-d --name web --restart unless-stopped -p 127.0.0.1::8080 -v shop-data:/data -e LOG_LEVEL=info --memory 256m --label team=shop shop:1.2",
    SERVER,
  ],
  ["-d --name worker-1 busybox", "while true; do echo job done; sleep 2; done"],
  ["-d --name worker-2 busybox", "while true; do :; done"],
  ["-d --name api --health-cmd false --health-interval 1s --health-retries 1 busybox", "sleep 10000"],
  ["-d --name cache busybox", "sleep 10000"],
  ["--name migrate busybox", MIGRATION],
  ["--name seed busybox", "true"],
];

/** An image as people build them: with a cache that a later layer removes, and files that are written twice. */
const DOCKERFILE = `FROM busybox
LABEL org.example.team=shop
RUN mkdir -p /var/cache/apk && head -c 3000000 /dev/zero > /var/cache/apk/packages.tar && mkdir -p /usr/lib/shop && for n in 1 2 3 4 5 6 7 8; do head -c $((n*40000)) /dev/zero > /usr/lib/shop/lib$n.so; done
COPY app /app
RUN rm -r /var/cache/apk && chmod -R go-w /app
WORKDIR /app
CMD ["httpd", "-f", "-p", "8080"]
`;

function writeContext(dir: string): string {
  const context = join(dir, "context");
  mkdirSync(join(context, "app"), { recursive: true });
  const files = { "server.js": 48, "index.html": 3, "assets.bin": 900 };
  for (const [name, kilobytes] of Object.entries(files)) writeFileSync(join(context, "app", name), Buffer.alloc(kilobytes * 1024, name));
  writeFileSync(join(context, "Dockerfile"), DOCKERFILE);
  return context;
}

/** Containers in all states, images, volumes and a pushed repository, made by the docker command. */
async function fillProduct(filled: Product): Promise<void> {
  const must = async (command: readonly string[]): Promise<void> => {
    const { exitCode, stderr } = await filled.docker(command);
    if (exitCode !== 0) throw new Error(`docker ${command.join(" ")}: ${stderr}`);
  };
  const tar = await makeBusyboxTar(filled.dir);
  await must(["import", "--change", 'CMD ["sh"]', tar, "busybox:latest"]);
  await must(["import", "--change", "EXPOSE 8080", tar, "shop:1.2"]);
  await must(["volume", "create", "--label", "team=shop", "shop-data"]);
  await must(["volume", "create", "backup"]);
  await must(["build", "-t", "shop:next", writeContext(filled.dir)]);
  // One of them ends with an error, as it shall.
  for (const [options, script] of CONTAINERS) await filled.docker(["run", ...options.split(" "), "sh", "-c", script]);
  await must(["pause", "cache"]);
  const registry = filled.url.replace("http://", "");
  await must(["login", registry, "-u", "token", "-p", ADMIN.token]);
  for (const [image, name] of [
    ["shop:1.2", "shop:1.2"],
    ["busybox", "shop:base"],
  ] as const) {
    await must(["tag", image, `${registry}/team/${name}`]);
    await must(["push", `${registry}/team/${name}`]);
  }
  await deployStacks(filled);
  await fillSettings(filled);
  // Nobody listens there: pulling through it fails, which its row then says.
  await callProduct(filled, "registry.upstreams.create", { name: "inside", url: "http://127.0.0.1:9", allowsPrivate: true });
  await filled.docker(["pull", `${registry}/team/inside/library/nginx:latest`]);
  await filled.dockerThroughControl(["restart", "worker-1"]);
}

async function takeAll(browser: Browser): Promise<void> {
  for (const [size, viewport] of Object.entries(SIZES)) {
    for (const theme of THEMES) {
      const context = await browser.newContext({ viewport, locale: language === "zh" ? "zh-CN" : "en-GB", deviceScaleFactor: 1 });
      await context.addCookies([
        { name: "flotilla_theme", value: theme, url: product.url },
        { name: "flotilla_locale", value: language, url: product.url },
      ]);
      await takeContext(context, `${size}-${theme}`);
      await context.close();
    }
  }
}

async function takeContext(context: BrowserContext, suffix: string): Promise<void> {
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  page.on("pageerror", (error) => console.error(`${page.url()}: ${error.message}`));
  await page.goto(`${product.url}/sign-in`);
  await page.waitForTimeout(SETTLE_MS);
  if (isWanted("sign-in")) await page.screenshot({ path: join(OUT, `sign-in.${suffix}.png`) });
  await page.locator('input[type="email"]').fill(ADMIN.email);
  await page.locator('input[type="password"]').fill(ADMIN.password);
  await page.keyboard.press("Enter");
  await page.waitForURL(`${product.url}/`);
  for (const shot of SHOTS.filter(({ name }) => isWanted(name))) {
    await page.goto(`${product.url}${shot.path}`);
    await page.waitForTimeout(SETTLE_MS);
    try {
      await shot.prepare?.(page);
    } catch (error) {
      console.error(`${shot.name}: ${error instanceof Error ? error.message.split("\n")[0] : String(error)}`);
    }
    await page.waitForTimeout(300);
    await page.screenshot({ path: join(OUT, `${shot.name}.${suffix}.png`) });
    const overflow = await page.evaluate<number>("document.documentElement.scrollWidth - document.documentElement.clientWidth");
    if (overflow > 0) console.error(`${shot.name}.${suffix}: ${overflow} px wider than the screen`);
    if (suffix.startsWith("desktop")) for (const barrier of await findBarriers(page)) console.error(`${shot.name}.${suffix}: ${barrier}`);
  }
}

function isWanted(name: string): boolean {
  return wanted.length === 0 || wanted.some((prefix) => name.startsWith(prefix));
}

async function typeInTerminal(page: Page): Promise<void> {
  await page.locator("main button").last().click();
  await page.locator(".xterm").click();
  await page.keyboard.type("ls -la / && ps\n");
  await page.waitForTimeout(1_000);
}

/** What is wasted and why, and the files of the topmost layer. */
async function openLayer(page: Page): Promise<void> {
  await page.locator("h2 button[aria-expanded]").click();
  await page.locator("li button[aria-expanded]").first().click();
  await page.evaluate("document.querySelector('h2 button[aria-expanded]').scrollIntoView()");
  await page.mouse.wheel(0, -70);
}

/** Asks both ends, and waits for what they saw. */
async function look(page: Page): Promise<void> {
  await page.locator('main button[type="submit"]').click();
  await page.locator("main ol").waitFor();
}

/** The form of a token with some of the rights. */
async function narrowToken(page: Page): Promise<void> {
  await clickButton(language === "zh" ? "新建令牌" : "New token")(page);
  await page.getByRole("dialog").getByRole("radio").last().click();
}

async function openDelivery(page: Page): Promise<void> {
  await clickButton(language === "zh" ? "投递记录" : "Deliveries")(page);
  await page.locator("[role=dialog] li button").first().click();
}

async function openOperation(page: Page): Promise<void> {
  await page.locator("main summary").nth(2).click();
}

async function startPull(page: Page): Promise<void> {
  await clickButton(language === "zh" ? "拉取" : "Pull")(page);
  await page
    .getByRole("dialog")
    .locator("input")
    .first()
    .fill(`${product.url.replace("http://", "")}/team/shop:base`);
  await page.keyboard.press("Enter");
  await page.waitForTimeout(1_500);
}

rmSync(OUT, { recursive: true, force: true });
mkdirSync(OUT, { recursive: true });

try {
  await fillProduct(product);
  const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: FLAGS });
  try {
    await takeAll(browser);
  } finally {
    await browser.close();
  }
} finally {
  await removeStacks(product);
  await product.close();
}
