// The pages of stacks, secrets and hosts as a person uses them. Part of dashboard.test.ts: on the product and the page that it has.
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { findBarriers } from "../support/axe.ts";
import { goTo } from "../support/go-to.ts";
import type { Product } from "../support/product.ts";

/** Stops at once and counts as settled at once, so that a rollout takes no longer than its containers. */
const compose = (word: string, { image = "image", update = "parallelism: 2, monitor: 10ms" } = {}) => `services:
  web:
    ${image}: busybox:1
    command: ["sh", "-c", "echo ${word}; exec sleep 600"]
    stop_signal: SIGKILL
    deploy:
      replicas: 2
      update_config: { ${update} }
      rollback_config: { parallelism: 2, monitor: 10ms }
      x-flotilla: { drain: 0 }
`;

/** Registers the tests; `scene` is asked when they run. */
export function testStackPages(scene: () => { product: Product; page: Page }): void {
  const open = (path: string): Promise<void> => goTo(scene().page, scene().product.url, path);
  const button = (name: string) => scene().page.getByRole("button", { name, exact: true });
  const inDialog = (name: string) => scene().page.getByRole("dialog").getByRole("button", { name, exact: true });
  const replicas = (revision: number) =>
    scene()
      .page.locator("[data-replica=running]")
      .filter({ hasText: `r${revision}` });

  async function write(text: string): Promise<void> {
    const { page } = scene();
    await page.locator(".cm-content").click();
    await page.keyboard.press("Control+a");
    await page.keyboard.insertText(text);
  }

  async function planAndApply(plan: string): Promise<void> {
    const { page, product } = scene();
    await button("Plan").click();
    await page.locator(`[data-plan="${plan}"]`).waitFor();
    await button("Apply").click();
    await page.waitForURL(`${product.url}/stacks/shop`);
  }

  test("pastes a compose file, is told of a mistake with its place, sees the plan and applies it", async () => {
    const { page } = scene();
    await open("/stacks");
    await page.getByText("No stacks yet").waitFor();
    await page.getByRole("link", { name: "New stack" }).click();
    await page.getByLabel("Name").fill("shop");
    await write(compose("one", { image: "imgae" }));
    await page.getByRole("list", { name: "Mistakes and warnings" }).getByText("did you mean 'image'?").waitFor();
    await page.getByText("compose.yaml:3:5").waitFor();
    await page.locator(".cm-lintRange-error").waitFor();
    await write(compose("one"));
    await page.getByText("did you mean 'image'?").waitFor({ state: "detached" });
    await planAndApply("make:2");
    await replicas(1).nth(1).waitFor();
  });

  /** As somebody else would, meanwhile. */
  async function place(availability: string): Promise<void> {
    const request = {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ host: "local", availability }),
    };
    const status = await scene().page.evaluate(`fetch("/api/trpc/hosts.place", ${JSON.stringify(request)}).then(({ status }) => status)`);
    expect(status).toBe(200);
  }

  test("is told what changed since the plan instead of applying it, with the plan for what is there now", async () => {
    const { page } = scene();
    await page.getByRole("link", { name: "Edit", exact: true }).click();
    await page.locator(".cm-content").getByText("echo one").waitFor();
    await write(compose("two"));
    await button("Plan").click();
    await page.locator('[data-plan="replace:2"]').waitFor();
    expect(await findBarriers(page)).toEqual([]);
    await place("cordon");
    await button("Apply").click();
    await page.getByText("host local: active → cordon").waitFor();
    await page.locator('[data-plan="unplaced:2"]').waitFor();
    await place("active");
  });

  test("edits it and sees both replicas replaced, without a reload", async () => {
    await planAndApply("replace:2");
    await replicas(2).nth(1).waitFor();
    await scene().page.getByText("revision 2", { exact: true }).waitFor();
  });

  test("reads what all replicas write, and what a revision changed", async () => {
    const { page } = scene();
    await page.getByRole("tab", { name: "Logs" }).click();
    await page.getByRole("log").getByText("web.1").waitFor();
    await page.getByRole("log").getByText("web.2").waitFor();
    await page.getByRole("tab", { name: "Revisions" }).click();
    await page.locator("[data-diff=added]").getByText("echo two").waitFor();
    await page.locator("[data-diff=removed]").getByText("echo one").waitFor();
    expect(await findBarriers(page)).toEqual([]);
  });

  test("rolls back with one click, and finds the three deployments with their steps", async () => {
    const { page } = scene();
    await page.getByRole("tab", { name: "Services" }).click();
    await button("Roll back").click();
    await inDialog("Roll back").click();
    await replicas(1).nth(1).waitFor();
    await page.getByText("revision 1", { exact: true }).waitFor();
    await page.getByRole("tab", { name: "Deployments" }).click();
    await expect.poll(() => page.getByRole("list", { name: "Deployments" }).getByRole("listitem").count()).toBe(3);
    await page.getByRole("list", { name: "Steps" }).getByText("is back on its earlier version").waitFor();
  });

  test("holds a rollout, lets it go on, and goes back from the middle of it", async () => {
    const { page } = scene();
    await page.getByRole("link", { name: "Edit", exact: true }).click();
    await page.locator(".cm-content").getByText("echo one").waitFor();
    // The first replica is watched for longer than this test lasts.
    await write(compose("three", { update: "parallelism: 1, monitor: 1h" }));
    await planAndApply("replace:2");
    await page.locator("[data-rollout=rolling]").waitFor();
    await replicas(3).waitFor();
    await button("Pause").click();
    await page.locator("[data-rollout=held]").waitFor();
    await button("Continue").click();
    await page.locator("[data-rollout=rolling]").waitFor();
    await button("Abort").click();
    await inDialog("Abort").click();
    await page.locator("[data-rollout]").waitFor({ state: "detached" });
    await expect.poll(() => replicas(1).count()).toBe(2);
  });

  test("sees what a service uses over its replicas, and what a replica went through", async () => {
    const { page } = scene();
    await button("Live use").click();
    await page.locator('[data-service-use="2"]').waitFor();
    await replicas(1).first().click();
    await button("Health history").click();
    await page.getByRole("list", { name: "Health history" }).getByText("running", { exact: true }).waitFor();
  });

  test("is told that there is nothing to rebalance on one host", async () => {
    const { page } = scene();
    await button("More for shop").click();
    await page.getByRole("menuitem", { name: "Rebalance" }).click();
    await page.getByRole("dialog").getByText("Nothing would move").waitFor();
    await inDialog("Cancel").click();
  });

  test("finds the deployments of all stacks, and the stack of one", async () => {
    const { page, product } = scene();
    await open("/deployments");
    const list = page.getByRole("list", { name: "Deployments" });
    await expect.poll(() => list.getByRole("listitem").count()).toBe(4);
    await list.getByRole("button").last().click();
    await page.getByRole("list", { name: "Steps" }).getByText("2 of 2 replicas run").waitFor();
    await page.locator("summary").getByText("Plan", { exact: true }).click();
    await page.locator('[data-plan="make:2"]').waitFor();
    await page.getByRole("link", { name: "shop", exact: true }).click();
    await page.waitForURL(`${product.url}/stacks/shop`);
  });

  test("keeps a secret that nobody reads again", async () => {
    const { page } = scene();
    await open("/secrets");
    await button("New secret").click();
    await page.getByRole("dialog").getByLabel("Name").fill("db-password");
    await page.getByRole("dialog").getByLabel("Content").fill("one two three");
    await inDialog("Save").click();
    const row = page.getByRole("row").filter({ hasText: "db-password" });
    await row.getByText("13 B").waitFor();
    await button("New version of db-password").click();
    expect(await page.getByRole("dialog").getByLabel("Content").inputValue()).toBe("");
    await page.keyboard.press("Escape");
    await button("Remove db-password").click();
    await page.getByRole("dialog").getByRole("textbox").fill("db-password");
    await inDialog("Remove").click();
    await page.getByText("No secrets yet").waitFor();
  });

  test("labels a host, cordons it, and makes it active again", async () => {
    const { page } = scene();
    await open("/hosts/local");
    await button("Edit").click();
    await page.getByRole("dialog").getByLabel("Labels").fill("disk=ssd");
    await inDialog("Save").click();
    await page.getByText("disk=ssd", { exact: true }).waitFor();
    await page.getByRole("radio", { name: "Cordon" }).click();
    await page.getByText("nothing new is placed here").waitFor();
    await page.getByRole("radio", { name: "Active" }).click();
    await page.getByText("New replicas may be placed here.").waitFor();
  });

  test("drains the host: what ran there goes, says that nothing takes it, and is back when the host is active", async () => {
    const { page } = scene();
    await page.getByRole("radio", { name: "Drain" }).click();
    await inDialog("Drain").click();
    await open("/stacks/shop");
    await page.getByText("2 of 2 replicas have no host: 1 host: 1 is drained").first().waitFor();
    await place("active");
    await expect.poll(() => replicas(1).count()).toBe(2);
  });

  test("removes the stack after typing its name, and its containers go", async () => {
    const { page, product } = scene();
    await open("/stacks/shop");
    await button("More for shop").click();
    await page.getByRole("menuitem", { name: "Remove stack" }).click();
    await page.getByRole("dialog").getByRole("textbox").fill("shop");
    await inDialog("Remove stack").click();
    await page.getByText("No stacks yet").waitFor();
    const label = "label=com.docker.compose.project=shop";
    expect((await product.docker(["ps", "-aq", "--filter", label])).stdout).toBe("");
  });
}
