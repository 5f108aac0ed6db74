// Tokens, service accounts, webhooks, guard rails, the audit and the API reference, by a person in a browser.
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { goTo } from "../support/go-to.ts";
import type { Product } from "../support/product.ts";

/** Within the one browser session of the dashboard's test, signed in as the administrator of the instance. */
export function testSettingsPages(at: () => { product: Product; page: Page }): void {
  const open = (path: string): Promise<unknown> => goTo(at().page, at().product.url, path);
  const button = (name: string) => at().page.getByRole("button", { name, exact: true });
  const dialog = () => at().page.getByRole("dialog");
  const shownSecret = async (): Promise<string> => (await dialog().locator("code").first().textContent()) ?? "";
  const callWith = async (token: string, path: string): Promise<number> =>
    (await fetch(`${at().product.url}/api/v1${path}`, { headers: { authorization: `Bearer ${token}` } })).status;

  test("makes a token that may read containers, is shown it once with lines that use it, and revokes it", async () => {
    await open("/settings?tab=tokens");
    await button("New token").click();
    await dialog().getByLabel("Name").fill("reader");
    await dialog().getByRole("radiogroup", { name: "Rights" }).getByRole("radio", { name: "Only these" }).click();
    await dialog().getByRole("button", { name: "Create token" }).isDisabled();
    await dialog().getByLabel("See containers, their state and figures").check();
    await dialog().getByRole("button", { name: "Create token" }).click();
    await dialog().getByText("Copy the token now.").waitFor();
    const token = await shownSecret();
    expect(await dialog().textContent()).toContain(`curl -H 'Authorization: Bearer ${token}' ${at().product.url}/api/v1/containers`);
    expect([await callWith(token, "/containers"), await callWith(token, "/webhooks")]).toEqual([200, 403]);
    await dialog().getByRole("button", { name: "Done" }).click();
    const row = at().page.getByRole("listitem").filter({ hasText: "reader" });
    await row.getByText("1 right, all hosts").waitFor();
    expect(await at().page.content()).not.toContain(token);
    await row.getByRole("button", { name: "Revoke" }).click();
    await dialog().getByRole("button", { name: "Revoke" }).click();
    // By its text, not its role: behind an open dialog nothing has a role.
    await at().page.getByText("reader", { exact: true }).waitFor({ state: "detached" });
    expect(await callWith(token, "/containers")).toBe(401);
  });

  test("makes a service account with a token of its own, which ends with it", async () => {
    await open("/settings?tab=accounts");
    await button("New account").click();
    await dialog().getByLabel("Name").fill("ci");
    await dialog().getByLabel("Role").selectOption({ label: "Viewer" });
    await dialog().getByRole("button", { name: "Create account" }).click();
    await button("New token").click();
    await dialog().getByLabel("Name").fill("pipeline");
    await dialog().getByRole("button", { name: "Create token" }).click();
    await dialog().getByText("Copy the token now.").waitFor();
    const token = await shownSecret();
    await dialog().getByRole("button", { name: "Done" }).click();
    await at().page.getByText("pipeline", { exact: true }).waitFor();
    expect([await callWith(token, "/containers"), await callWith(token, "/webhooks")]).toEqual([200, 403]);
    await button("Remove").click();
    await dialog().getByRole("textbox").fill("ci");
    await dialog().getByRole("button", { name: "Remove" }).click();
    await at().page.getByText("No accounts for programs yet").waitFor();
    expect(await callWith(token, "/containers")).toBe(401);
  });

  test("makes a webhook, sends a test, and reads why nobody got it", async () => {
    await open("/settings?tab=webhooks");
    await button("New webhook").click();
    await dialog().getByLabel("Name").fill("pager");
    await dialog().getByLabel("Address", { exact: true }).fill("http://127.0.0.1:9/hook");
    await dialog().getByText("Enter an address that begins with https://").waitFor();
    await dialog().getByLabel("Allow addresses that are not public").check();
    await dialog().getByRole("button", { name: "Save" }).click();
    await dialog().getByText("Give this secret to the receiver").waitFor();
    expect(await shownSecret()).toMatch(/^whsec_/);
    await dialog().getByRole("button", { name: "Close" }).click();
    await button("Manage pager").click();
    await at().page.getByRole("menuitem", { name: "Send a test" }).click();
    await button("Deliveries").click();
    await dialog().getByRole("button", { name: "webhook.test" }).click();
    await dialog()
      .getByText(/ECONNREFUSED/)
      .waitFor();
    await at().page.keyboard.press("Escape");
    await button("Remove").click();
    await dialog().getByRole("button", { name: "Remove" }).click();
    await at().page.getByText("Nobody is told of events yet.").waitFor();
  });

  test("says what holds on every host, and goes back to the safe default", async () => {
    await open("/settings?tab=guards");
    await at().page.getByText("safe default").waitFor();
    await button("Edit").click();
    await dialog().getByLabel("Memory (MiB)").fill("lots");
    await dialog().getByText("This cannot be read").waitFor();
    await dialog().getByLabel("Memory (MiB)").fill("4096");
    await dialog().getByRole("button", { name: "Save" }).click();
    await at().page.getByText("4 GiB").waitFor();
    await button("Back to the default").click();
    await at().page.getByText("safe default").waitFor();
  });

  test("finds in the audit who did that, sees what became different, and verifies the chain", async () => {
    await open("/activity?action=guard");
    const rows = at().page.getByRole("list", { name: "Activity" }).getByRole("listitem");
    await rows.filter({ hasText: "guard.change" }).first().waitFor();
    expect(await rows.filter({ hasNotText: "guard.change" }).count()).toBe(0);
    await at().page.getByLabel("Outcome").selectOption("refused");
    await at().page.getByText("Nothing matches").waitFor();
    await button("Clear").click();
    await rows.filter({ hasText: "serviceAccount.remove" }).first().waitFor();
    await button("Verify the chain").click();
    await at()
      .page.getByText(/The chain is whole: \d+ seals/)
      .waitFor();
  });

  test("looks a call up in the API reference", async () => {
    await open("/help?tab=api");
    await at().page.getByPlaceholder("Search by path or word…").fill("webhook test");
    const found = at().page.locator("main summary");
    await found.filter({ hasText: "/webhooks/{id}/test" }).click();
    expect(await found.count()).toBe(1);
    await at().page.getByText(`${at().product.url}/api/v1/webhooks/ID/test`).waitFor();
  });
}
