import type { Page } from "playwright-core";

/**
 * Opens a page as a person does who is in the dashboard already: by its own router, which takes a fraction of loading it anew. It is
 * loaded from anywhere else, when it is open already, and when a dialog stands before it.
 */
export async function goTo(page: Page, base: string, path: string): Promise<void> {
  const wanted = new URL(path, base);
  const here = new URL(page.url(), base);
  const isPlain = async (): Promise<boolean> =>
    (await page.locator("[data-live]").count()) > 0 && (await page.locator("[role=dialog], [role=alertdialog]").count()) === 0;
  if (here.origin !== wanted.origin || here.href === wanted.href || !(await isPlain())) return void (await page.goto(wanted.href));
  await page.evaluate(`window.next.router.push(${JSON.stringify(path)})`);
  await page.waitForURL(({ href }) => href === wanted.href);
}
