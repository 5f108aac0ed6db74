// The dashboard in a real browser on the whole product: set-up, an image, a container, its logs, terminal and figures, and its end.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findBarriers } from "../support/axe.ts";
import { CHROMIUM_FLAGS } from "../support/chromium-flags.ts";
import { makeBusyboxTar } from "../support/busybox-image.ts";
import { DockerRegistry } from "../support/docker-registry.ts";
import { goTo } from "../support/go-to.ts";
import { type Product, startProduct } from "../support/product.ts";
import { testSettingsPages } from "./settings-pages.ts";
import { testStackPages } from "./stack-pages.ts";

const ADA = { name: "Ada Lovelace", email: "ada@example.test", password: "correct horse battery staple", team: "Harbour" };
const COUNTING = `sh -c 'trap "exit 0" TERM; i=0; while true; do i=$((i+1)); printf "\\033[32mline\\033[0m %s\\n" $i; echo "warning $i" >&2; sleep 0.2 & wait; done'`;

let product: Product;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let tar: string;
let registry: DockerRegistry;
/** What the page asked of any other machine, and what it wrote as an error: both must stay empty. */
const foreign: string[] = [];
const faults: string[] = [];

beforeAll(async () => {
  product = await startProduct({ withAdmin: false });
  tar = await makeBusyboxTar(product.dir);
  registry = await DockerRegistry.start({ directory: join(product.dir, "registry") });
  browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: [...CHROMIUM_FLAGS] });
  context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: "en-GB" });
  page = await context.newPage();
  page.setDefaultTimeout(20_000);
  context.on("weberror", (error) => faults.push(`${error.page()?.url() ?? ""}: ${error.error().message}`));
  context.on("request", (request) => {
    const { protocol, host } = new URL(request.url());
    if (/^(https?|wss?):$/.test(protocol) && host !== new URL(product.url).host) foreign.push(request.url());
  });
}, 600_000);
afterAll(async () => {
  await browser?.close();
  await registry?.[Symbol.asyncDispose]();
  await product?.close();
});

const open = (path: string) => goTo(page, product.url, path);
const button = (name: string) => page.getByRole("button", { name, exact: true });

async function startBuild(dockerfile: string, name: string): Promise<void> {
  await open("/images?build=1");
  await page.getByRole("radio", { name: "Dockerfile only" }).click();
  await page.getByRole("textbox", { name: "Dockerfile" }).fill(dockerfile);
  await page.getByRole("textbox", { name: "Names" }).fill(name);
  await page.getByRole("dialog").getByRole("button", { name: "Build" }).click();
}

describe("a person", () => {
  test("opens the set-up link, makes the first account and is signed in", async () => {
    // Printed just after the product is ready.
    await expect.poll(() => product.setupLink()).toBeDefined();
    await page.goto(product.setupLink() ?? "");
    await page.getByLabel("Your name").fill(ADA.name);
    await page.getByLabel("E-mail").fill(ADA.email);
    await page.getByLabel("Password").fill(ADA.password);
    await page.getByLabel("Team").fill(ADA.team);
    await button("Create account").click();
    await page.waitForURL(`${product.url}/`);
    await page.getByText(ADA.team).first().waitFor();
    await page.getByText("Nothing runs yet").waitFor();
  });

  test("is told that the link is used up when opening it again", async () => {
    await page.goto(product.setupLink() ?? "");
    await page.getByText("Already set up").waitFor();
  });

  test("sees this machine as an online host, live", async () => {
    await open("/hosts");
    await page.getByRole("row").filter({ hasText: "local" }).getByText("Online").waitFor();
    await page.locator("[data-live=connected]").waitFor();
  });

  test("uploads a root file system as an image", async () => {
    await open("/images?upload=1");
    await page.getByRole("radio", { name: "Root file system" }).click();
    await page.setInputFiles("input[type=file]", tar);
    await page.getByLabel("Image name").fill("busybox:1");
    await page.getByLabel("Instructions").fill('CMD ["/bin/sh"]\nENV GREETING=hello');
    await page.getByRole("dialog").getByRole("button", { name: "Upload image" }).click();
    await page.getByRole("link", { name: "busybox:1", exact: true }).waitFor();
  });

  test("builds an image from a Dockerfile, reads its log, and sees why another one fails", async () => {
    const name = `localhost:${registry.port}/team/built:1`;
    await startBuild("FROM busybox:1\nRUN echo made in a browser > /made && cat /made\n", name);
    const build = page.getByRole("region", { name: `Build ${name}` });
    await build.getByText("done", { exact: true }).waitFor();
    await build.getByRole("log").getByText("made in a browser", { exact: true }).waitFor();
    expect((await product.docker(["run", "--rm", name, "cat", "/made"])).stdout).toBe("made in a browser\n");
    await startBuild("FROM busybox:1\nRUN exit 3\n", "broken:1");
    await page.getByRole("region", { name: "Build broken:1" }).getByRole("alert").getByText("returned a non-zero code: 3").waitFor();
  });

  test("pushes the image, takes its name away, and pulls it again, seeing how far it is", async () => {
    const name = `localhost:${registry.port}/team/built:1`;
    await open(`/images/local/${encodeURIComponent(name)}`);
    await button("Push").click();
    await page.getByRole("dialog").getByRole("button", { name: "Push" }).click();
    await page
      .getByRole("region", { name: `Push ${name}` })
      .getByText("done", { exact: true })
      .waitFor();
    await page.keyboard.press("Escape");
    await button("Remove").click();
    await page.getByRole("dialog").getByRole("button", { name: "Remove image" }).click();
    await page.waitForURL(`${product.url}/images`);
    await page.goto(`${product.url}/images?pull=1`);
    await page.getByRole("textbox", { name: "Image" }).fill(name);
    await page.getByRole("dialog").getByRole("button", { name: "Pull" }).click();
    await page
      .getByRole("region", { name: `Pull ${name}` })
      .getByText("done", { exact: true })
      .waitFor();
    expect((await product.docker(["run", "--rm", name, "cat", "/made"])).stdout).toBe("made in a browser\n");
    await product.docker(["rmi", name]);
  });

  test("is told what is wrong with a form, and nothing is sent", async () => {
    await open("/run");
    await button("Run").click();
    await page.getByText("Name an image.").waitFor();
    expect((await product.docker(["ps", "-aq"])).stdout).toBe("");
  });

  test("fills the form from a docker run line, runs it and reads its log", async () => {
    await open("/run");
    await page.getByRole("radio", { name: "Paste docker run" }).click();
    await page.getByLabel("A docker run line").fill(`docker run -d --name web --memory 64m -e A=b busybox:1 ${COUNTING}`);
    await button("Fill the form").click();
    await button("Run").click();
    await page.waitForURL(/\/containers\/local\/[0-9a-f]{12}\?tab=logs/);
    await page.getByRole("log").getByText("line 3").first().waitFor();
    const { stdout } = await product.docker(["inspect", "--format", "{{.HostConfig.Memory}} {{.State.Running}}", "web"]);
    expect(stdout.trim()).toBe("67108864 true");
  });

  test("searches the log and sees the matches marked", async () => {
    await open("/containers/local/web?tab=logs");
    await page.getByRole("log").getByText("line 3").first().waitFor();
    await page.getByPlaceholder("Search in the log…").fill("warning");
    await page.locator("[role=log] mark").first().waitFor();
  });

  test("downloads the whole log", async () => {
    await open("/containers/local/web?tab=logs");
    const downloading = page.waitForEvent("download");
    await page.getByRole("link", { name: "Download the whole log" }).click();
    const download = await downloading;
    expect(download.suggestedFilename()).toBe("web.log");
    const text = readFileSync(await download.path(), "utf8");
    expect(text).toMatch(/^\d{4}-\d\d-\d\dT\S+Z \S*line/m);
    expect(text).toContain("warning 1\n");
  });

  test("uses a shell that survives a reload of the page", async () => {
    await open("/containers/local/web?tab=terminal");
    await button("Open terminal").click();
    await page.locator("[data-terminal=open]").waitFor();
    await page.locator(".xterm-rows").getByText("#").first().waitFor();
    await page.keyboard.type("KEPT=survived; echo $GREETING-there\n");
    await page.locator(".xterm-rows").getByText("hello-there").waitFor();
    await page.reload();
    await page.locator("[data-terminal=open]").waitFor();
    await page.locator(".xterm-rows").getByText("hello-there").waitFor();
    await page.keyboard.type("echo $KEPT-it\n");
    await page.locator(".xterm-rows").getByText("survived-it").waitFor();
    await page.keyboard.type("exit 3\n");
    await page.getByText("Ended with exit code 3").waitFor();
  });

  test("sees figures and processes of the running container", async () => {
    await open("/containers/local/web?tab=stats");
    await page.getByText("of 64 MiB").waitFor();
    await page.getByRole("tab", { name: "Processes" }).click();
    await page.getByRole("columnheader", { name: "PID", exact: true }).waitFor();
  });

  test("sees a container that docker started elsewhere appear without a reload", async () => {
    await open("/containers");
    await page.getByRole("link", { name: "web", exact: true }).waitFor();
    await product.docker(["run", "-d", "--name", "other", "busybox:1", "sleep", "600"]);
    await page.getByRole("link", { name: "other", exact: true }).waitFor();
  });

  test("is told on the overview what needs somebody, and led to its log", async () => {
    await open("/");
    await page.getByText("Nothing needs you.").waitFor();
    await product.docker(["run", "--name", "broken", "busybox:1", "sh", "-c", "echo no such table; exit 3"]);
    await page.getByRole("link", { name: "broken ended with exit code 3" }).click();
    await page.waitForURL(/\/containers\/local\/broken\?tab=logs/);
    await page.getByRole("log").getByText("no such table").waitFor();
    await product.docker(["rm", "broken"]);
    await open("/");
    await page.getByText("Nothing needs you.").waitFor();
  });

  test("makes a network of all hosts that docker sees, and removes it after being asked", async () => {
    await open("/networks");
    await button("Create network").first().click();
    const form = page.getByRole("dialog");
    await form.getByLabel("Subnet").fill("10.1.0.0");
    await form.getByText("Write it as 10.64.0.0/20.").waitFor();
    await form.getByLabel("Subnet").fill("10.90.0.0/24");
    await form.getByLabel("Name").fill("shop-net");
    await form.getByRole("button", { name: "Create network" }).click();
    await page.getByRole("link", { name: "shop-net" }).click();
    await page.getByText("10.90.0.16/28").waitFor();
    await expect
      .poll(async () => (await product.docker(["network", "ls", "--filter", "driver=overlay", "--format", "{{.Name}}"])).stdout.trim(), {
        timeout: 15_000,
      })
      .toBe("shop-net");
    await button("Remove network").click();
    await page.getByRole("dialog").getByRole("button", { name: "Remove network" }).click();
    await page.waitForURL(`${product.url}/networks`);
    await page.getByText("No networks of your own yet").waitFor();
  });

  test("looks from one container at another, hop by hop, and says where a lone host stands", async () => {
    await open("/networks?tab=reach&from=local/other&to=local/web");
    await button("Look").click();
    await page.getByText("It gets there.").waitFor();
    await page.getByText("web runs and has this address.").waitFor();
    await page.getByRole("tab", { name: "Between hosts" }).click();
    await page.getByText("One host has nobody to reach").waitFor();
  });

  test("stops the container after being asked, and reads how it ended", async () => {
    await open("/containers/local/web");
    await button("Stop").click();
    await page.getByRole("dialog").getByRole("button", { name: "Stop" }).click();
    await page.getByText("Ended with exit code 0").waitFor();
    expect((await product.docker(["inspect", "--format", "{{.State.Running}}", "web"])).stdout.trim()).toBe("false");
  });

  test("removes both with a bulk action", async () => {
    await open("/containers");
    await page.getByLabel("Select all rows").check();
    await page.getByRole("toolbar").getByRole("button", { name: "Remove" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Remove 2 containers" }).click();
    await page.getByText("No containers yet").waitFor();
    expect((await product.docker(["ps", "-aq"])).stdout).toBe("");
  });

  testStackPages(() => ({ product, page }));
  testSettingsPages(() => ({ product, page }));

  test("finds everything that was done in the activity", async () => {
    await open("/activity");
    const rows = page.getByRole("list", { name: "Activity" });
    await rows.getByText("container.create").first().waitFor();
    await rows.getByText("container.remove").first().waitFor();
    await rows.getByText("image.build").first().waitFor();
    // By the name that people know, although the page acted on its id.
    await rows.getByRole("listitem").filter({ hasText: "container.remove" }).getByText("local/web").first().waitFor();
  });

  test("goes to a page by its keys and finds pages in the palette", async () => {
    await open("/");
    await page.getByText("Capacity").waitFor();
    await page.keyboard.press("g");
    await page.keyboard.press("h");
    await page.waitForURL(`${product.url}/hosts`);
    await page.keyboard.press("Control+k");
    await page.getByPlaceholder(/Go to a page/).fill("volum");
    await page.keyboard.press("Enter");
    await page.waitForURL(`${product.url}/volumes`);
  });

  test("reads the page in Chinese and in the dark, also after a reload", async () => {
    await open("/settings?tab=appearance");
    await page.getByRole("radio", { name: "Dark" }).click();
    await page.getByRole("radio", { name: "简体中文" }).click();
    await page.getByRole("link", { name: "容器", exact: true }).waitFor();
    await page.reload();
    await page.getByRole("link", { name: "容器", exact: true }).waitFor();
    expect(await page.locator("html").getAttribute("data-theme")).toBe("dark");
    // What the server tells of a file too.
    await open("/deploy");
    await page.locator(".cm-content").click();
    await page.keyboard.insertText("services:\n  web:\n    imgae: busybox\n");
    await page.getByRole("main").getByText("services.web: 不允许有键“imgae”；是否应为“image”？").first().waitFor();
    await open("/settings?tab=appearance");
    await page.getByRole("radio", { name: "English" }).click();
    await page.getByRole("link", { name: "Containers", exact: true }).waitFor();
  });

  test("signs out, and is sent to the sign-in page and back", async () => {
    await open("/");
    await button(ADA.name).click();
    await page.getByRole("menuitem", { name: "Sign out" }).click();
    await page.waitForURL(/\/sign-in$/);
    await open("/volumes");
    await page.waitForURL(/\/sign-in\?next=%2Fvolumes/);
    await page.getByLabel("E-mail").fill(ADA.email);
    await page.getByLabel("Password").fill("wrong password!");
    await button("Sign in").click();
    await page.getByText("This e-mail and password do not belong together.").waitFor();
    await page.getByLabel("Password").fill(ADA.password);
    await button("Sign in").click();
    await page.waitForURL(`${product.url}/volumes`);
  });
});

describe("every page", () => {
  const PATHS = [
    "/",
    "/containers",
    "/hosts",
    "/hosts/local",
    "/images",
    "/volumes",
    "/networks",
    "/networks?tab=map",
    "/networks?tab=mesh",
    "/networks?tab=ports",
    "/networks?tab=reach",
    "/stacks",
    "/deploy",
    "/deployments",
    "/secrets",
    "/activity",
    "/settings",
    "/settings?tab=members",
    "/settings?tab=security",
    "/settings?tab=roles",
    "/settings?tab=teams",
    "/settings?tab=people",
    "/settings?tab=tokens",
    "/settings?tab=accounts",
    "/settings?tab=webhooks",
    "/settings?tab=guards",
    "/hosts/local?tab=sharing",
    "/run",
    "/help",
    "/help?tab=api",
  ];
  const TABS = 3;

  test("fits a screen 360 px wide and has no barrier that axe finds", async () => {
    const paths = PATHS.values();
    const wrong: string[] = [];
    const lookAtSome = async (): Promise<void> => {
      const tab = await context.newPage();
      await tab.setViewportSize({ width: 360, height: 740 });
      for (const path of paths) {
        await goTo(tab, product.url, path);
        await tab.locator("h1").first().waitFor({ state: "attached" });
        await tab.locator("[data-live=connected]").waitFor();
        await tab.locator("main .animate-pulse").first().waitFor({ state: "detached" });
        const width = await tab.evaluate<number>("document.documentElement.scrollWidth");
        if (width > 360) wrong.push(`${path}: ${width} px wide`);
        wrong.push(...(await findBarriers(tab)).map((barrier) => `${path}: ${barrier}`));
      }
      await tab.close();
    };
    await Promise.all(Array.from({ length: TABS }, lookAtSome));
    expect(wrong).toEqual([]);
  }, 120_000);

  test("asks nothing of another machine and throws nothing", () => {
    expect(foreign).toEqual([]);
    expect(faults).toEqual([]);
  });
});
