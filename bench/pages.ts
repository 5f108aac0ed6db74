// `npm run bench -- pages`: the dashboard in Chromium, on the product as it is shipped. What each page loads and when its largest part
// is painted, and how a list of 5,000 containers scrolls.
import { type Browser, type BrowserContext, type CDPSession, chromium, type Page } from "playwright-core";
import { makeBusyboxTar } from "../test/support/busybox-image.ts";
import { ADMIN, type Product, startProduct } from "../test/support/product.ts";
import type { Case, Row } from "./case.ts";
import { median } from "./measure.ts";

const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"];
const LISTS = [
  "/",
  "/stacks",
  "/deployments",
  "/containers",
  "/hosts",
  "/images",
  "/volumes",
  "/networks",
  "/secrets",
  "/registry",
  "/activity",
];
const OTHERS = ["/settings", "/run", "/hosts/local", "/containers/local/bench-page", "/help"];
const LIST_TARGET = "≤ 200 kB, list pages";
const MANY = 5_000;
const SETTLE_MS = 1_000;
const SCROLL_MS = 4_000;
const FRAME_MS = 1000 / 60;

/** The routes, then the long list. */
export const pages: Case = async ({ rounds }) => {
  const product = await startProduct({ withAdmin: true });
  try {
    await product.docker(["import", "--change", 'CMD ["sh"]', await makeBusyboxTar(product.dir), "busybox:latest"]);
    await product.docker(["run", "-d", "--name", "bench-page", "busybox", "sleep", "100000"]);
    const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: FLAGS });
    try {
      return await measurePages(browser, product, Math.min(rounds, 5));
    } finally {
      await browser.close();
    }
  } finally {
    await product.close();
  }
};

/** Rows for each route, and for the long list. */
export async function measurePages(browser: Browser, product: Product, rounds: number): Promise<Row[]> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: "en-GB" });
  await signIn(context, product.url);
  const rows: Row[] = [];
  for (const path of [...LISTS, ...OTHERS]) {
    const loads: Load[] = [];
    for (let round = 0; round < rounds; round++) loads.push(await loadPage(context, product.url + path));
    const lcp = loads.map(({ lcpMs }) => lcpMs);
    const target = LISTS.includes(path) ? LIST_TARGET : "";
    rows.push(row({ name: `${path}: JavaScript, gzip`, unit: "kB", value: (loads[0]?.scriptBytes ?? Number.NaN) / 1000, target }));
    rows.push(row({ name: `${path}: largest contentful paint`, unit: "ms", value: median(lcp), target: "", samples: { flotilla: lcp } }));
  }
  rows.push(...(await measureScroll(context, product.url)));
  await context.close();
  return rows;
}

type Measured = { name: string; unit: string; value: number; target: string; samples?: Record<string, number[]> };

function row({ name, unit, value, target, samples }: Measured): Row {
  return { name, unit, flotilla: value, dockerd: undefined, ratio: undefined, target, ...(samples === undefined ? {} : { samples }) };
}

async function signIn(context: BrowserContext, url: string): Promise<void> {
  const page = await context.newPage();
  await page.goto(`${url}/sign-in`);
  await page.locator('input[type="email"]').fill(ADMIN.email);
  await page.locator('input[type="password"]').fill(ADMIN.password);
  await page.keyboard.press("Enter");
  await page.waitForURL(`${url}/`);
  await page.close();
}

type Load = { scriptBytes: number; lcpMs: number };

/** A page as somebody sees it who was never there: nothing cached. All scripts count that it loads by itself, also those after it is painted. */
async function loadPage(context: BrowserContext, url: string): Promise<Load> {
  const page = await context.newPage();
  const client = await context.newCDPSession(page);
  const scriptBytes = await countScripts(client);
  await page.goto(url, { waitUntil: "load" });
  await page.locator("[data-live=connected]").waitFor();
  await page.waitForTimeout(SETTLE_MS);
  const lcpMs = await page.evaluate<number>(
    `new Promise((resolve) => new PerformanceObserver((list) => resolve(list.getEntries().at(-1).startTime))
      .observe({ type: "largest-contentful-paint", buffered: true }))`,
  );
  await page.close();
  return { scriptBytes: scriptBytes(), lcpMs };
}

/** Bytes of scripts as they came over the wire, compressed, without headers. */
async function countScripts(client: CDPSession): Promise<() => number> {
  await client.send("Network.enable");
  await client.send("Network.setCacheDisabled", { cacheDisabled: true });
  const scripts = new Set<string>();
  let bytes = 0;
  client.on("Network.responseReceived", ({ requestId, type }) => {
    if (type === "Script") scripts.add(requestId);
  });
  client.on("Network.dataReceived", ({ requestId, encodedDataLength }) => {
    if (scripts.has(requestId)) bytes += encodedDataLength;
  });
  return () => bytes;
}

/** The list as it is with so many containers: what the hosts answer is made up, all the rest is the product. */
async function measureScroll(context: BrowserContext, url: string): Promise<Row[]> {
  const page = await context.newPage();
  await page.route(/\/api\/trpc\/[^?]*containers\.list/, async (route) => {
    const response = await route.fetch();
    const names = new URL(route.request().url()).pathname.split("/").at(-1)?.split(",") ?? [];
    const answers = (await response.json()) as { result: { data: unknown } }[];
    const at = names.indexOf("containers.list");
    await route.fulfill({ json: answers.map((answer, index) => (index === at ? { result: { data: manyContainers() } } : answer)) });
  });
  await page.goto(`${url}/containers`);
  await page.getByText(`${MANY.toLocaleString("en-GB")} rows`).waitFor();
  await page.waitForTimeout(SETTLE_MS);
  const { frames, longTasks } = await scroll(page);
  const typed = await typeInFilter(page);
  await page.close();
  const late = frames.filter((ms) => ms > 1.5 * FRAME_MS);
  const sorted = frames.toSorted((a, b) => a - b);
  const label = `${MANY} containers, scrolled by wheel`;
  return [
    row({ name: `${label}: frames later than 25 ms`, unit: "%", value: (100 * late.length) / frames.length, target: "≤ 5" }),
    row({ name: `${label}: slowest of 100 frames`, unit: "ms", value: sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN, target: "" }),
    row({ name: `${label}: tasks longer than 50 ms`, unit: "", value: longTasks, target: "0" }),
    row({ name: `${MANY} containers, a letter in the filter: until it is painted`, unit: "ms", value: typed, target: "≤ 100" }),
  ];
}

/** Times between frames, and tasks of more than 50 ms, while the wheel turns through the list. */
async function scroll(page: Page): Promise<{ frames: number[]; longTasks: number }> {
  await page.mouse.move(640, 500);
  await page.evaluate(`(() => {
    const seen = (window.__seen = { frames: [], longTasks: 0, isOver: false });
    new PerformanceObserver((list) => (seen.longTasks += list.getEntries().length)).observe({ type: "longtask" });
    let before = performance.now();
    const step = (now) => { seen.frames.push(now - before); before = now; if (!seen.isOver) requestAnimationFrame(step); };
    requestAnimationFrame(step);
  })()`);
  const until = performance.now() + SCROLL_MS;
  while (performance.now() < until) await page.mouse.wheel(0, 240);
  return page.evaluate<{ frames: number[]; longTasks: number }>(
    "(window.__seen.isOver = true, window.__seen.frames.shift(), window.__seen)",
  );
}

async function typeInFilter(page: Page): Promise<number> {
  await page.evaluate("window.scrollTo(0, 0)");
  await page.keyboard.press("/");
  const times: number[] = [];
  for (const letter of ["w", "e", "b", "-", "4"]) {
    await page.keyboard.press(letter);
    times.push(
      await page.evaluate<number>(
        "new Promise((resolve) => { const at = performance.now(); requestAnimationFrame(() => requestAnimationFrame(() => resolve(performance.now() - at))); })",
      ),
    );
  }
  return Math.max(...times);
}

function manyContainers(): unknown {
  const states = [
    ["running", "Up 3 hours"],
    ["running", "Up 3 hours (healthy)"],
    ["exited", "Exited (0) 2 hours ago"],
    ["exited", "Exited (1) 5 minutes ago"],
  ] as const;
  const items = Array.from({ length: MANY }, (_unused, index) => {
    const [State, Status] = states[index % states.length] ?? states[0];
    const host = `host-${index % 40}`;
    return {
      Id: index.toString(16).padStart(64, "0"),
      Names: [`/web-${index}`],
      Image: `registry.example.test/team/shop:${index % 9}`,
      ImageID: `sha256:${"0".repeat(64)}`,
      Command: "sh",
      Created: 1_700_000_000 + index,
      Ports: index % 3 === 0 ? [{ PrivatePort: 8080, PublicPort: 20_000 + index, Type: "tcp", IP: "0.0.0.0" }] : [],
      Labels: {},
      State,
      Status,
      host: { id: host, name: host },
    };
  });
  return { items, errors: [] };
}
