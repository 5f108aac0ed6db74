// Each role in a browser of its own: what it sees, what it may press, what the API says to it, and that nothing of the other team is there.
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launchInLab } from "../lab/chromium.ts";
import type { Lab } from "../lab/lab.ts";
import { callAs, GUESTS, HARBOUR, makeCast, type Person, type Role, ROLES, strikeCast } from "./role-cast.ts";
import { type Action, type Call, FOREIGN_CALLS, GUEST_PAGES, HARBOUR_PAGES, LETTER, type PageLine } from "./role-table.ts";

const FORBIDDEN = "Your role does not allow this";
/** How many people look at once: two cores draw no more pages at a time. */
const AT_ONCE = 3;
const CONTROLS = 'main :is(button, a, [role=tab], [role=checkbox], input[type=checkbox]), a[href="/run"]';

/** By line of the table: what was there of what it names, or why the page is not shown. */
type Sight = { page: string; shown: string[]; entries: string[] };
/** What a person saw, all that the server told their browser, and what the pages threw. */
type Tour = { sights: Sight[]; told: string; faults: string[] };

const includes = (letters: string, role: Role): boolean => letters.split("").some((letter) => LETTER[letter] === role);
const linesOf = (role: Role): readonly PageLine[] =>
  role === "guest" ? GUEST_PAGES : HARBOUR_PAGES.filter(({ among }) => among === undefined || includes(among, role));
const allowed = (actions: Readonly<Record<string, Action>> | undefined, role: Role): string[] =>
  Object.entries(actions ?? {}).flatMap(([name, { who }]) => (includes(who, role) ? [name] : []));

/** What the table says that a role sees of a line. */
function expected(line: PageLine, role: Role): Sight {
  if (!includes(line.who, role)) return { page: FORBIDDEN, shown: [], entries: [] };
  return { page: line.mark, shown: allowed(line.actions, role), entries: allowed(line.menu?.entries, role) };
}

/** Calls behind the buttons that a role has not. */
function refusedCalls(role: Role): Call[] {
  const actions = linesOf(role).flatMap(({ actions, menu }) => [...Object.values(actions ?? {}), ...Object.values(menu?.entries ?? {})]);
  const refused = actions.flatMap(({ who, call }) => (call === undefined || includes(who, role) ? [] : [call]));
  return role === "guest" ? [...refused, ...FOREIGN_CALLS] : refused;
}

async function look(page: Page, line: PageLine): Promise<Sight> {
  await page.evaluate(`window.next.router.push(${JSON.stringify(line.path)})`);
  await page.waitForURL((url) => `${url.pathname}${url.search}` === line.path);
  const mark = page.locator("main").getByText(line.mark, { exact: false }).locator("visible=true").first();
  try {
    await mark.or(page.getByText(FORBIDDEN)).first().waitFor();
  } catch {
    return { page: `neither, but: ${(await page.locator("main").innerText()).slice(0, 400)}`, shown: [], entries: [] };
  }
  if (await page.getByText(FORBIDDEN).isVisible()) return { page: FORBIDDEN, shown: [], entries: [] };
  const names = await page
    .locator(CONTROLS)
    .evaluateAll((found) => found.map((each) => each.getAttribute("aria-label") ?? each.textContent.trim()));
  const shown = Object.keys(line.actions ?? {}).filter((name) => names.includes(name));
  const { menu } = line;
  if (menu === undefined || !names.includes(menu.name)) return { page: line.mark, shown, entries: [] };
  await page.getByRole("button", { name: menu.name }).click();
  const texts = await page
    .getByRole("menuitem")
    .first()
    .waitFor()
    .then(() => page.getByRole("menuitem").allTextContents());
  await page.keyboard.press("Escape");
  await page.getByRole("menuitem").first().waitFor({ state: "detached" });
  return { page: line.mark, shown, entries: Object.keys(menu.entries).filter((name) => texts.includes(name)) };
}

async function makeTour({ role, context }: Person): Promise<Tour> {
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  const told: Promise<string>[] = [];
  const faults: string[] = [];
  page.on("pageerror", (error) => faults.push(error.message));
  page.on("response", (answer) => {
    if (answer.url().includes("/api/")) told.push(answer.text().catch(() => ""));
  });
  page.on("websocket", (socket) => socket.on("framereceived", ({ payload }) => told.push(Promise.resolve(String(payload)))));
  await page.goto("/help");
  await page.locator("[data-live=connected]").waitFor();
  await page.getByRole("link", { name: "Settings" }).first().waitFor();
  const sights: Sight[] = [];
  for (const line of linesOf(role)) sights.push(await look(page, line));
  await page.close();
  return { sights, told: (await Promise.all(told)).join("\n"), faults };
}

/** Within a lab of three hosts with a dashboard, where nobody is but its administrator. */
export function testRolePages(at: () => { lab: Lab; tar: string }): void {
  describe("two teams, six roles, three hosts", () => {
    let browser: Browser;
    let people: Person[] = [];
    const tours = new Map<Role, Tour>();

    beforeAll(async () => {
      const { lab, tar } = at();
      browser = await launchInLab(lab.plan);
      people = await makeCast(lab, browser, tar);
      const waiting = people.values();
      const walk = async (): Promise<void> => {
        for (const person of waiting) tours.set(person.role, await makeTour(person));
      };
      await Promise.all(Array.from({ length: AT_ONCE }, walk));
    });
    afterAll(async () => {
      await browser?.close();
      await strikeCast(at().lab);
    });

    test.each(ROLES)("%s: sees the pages and buttons of the role, and is told of the others why not", (role) => {
      const lines = linesOf(role);
      expect(tours.get(role)?.sights.map((sight, index) => [lines[index]?.path, sight])).toEqual(
        lines.map((line) => [line.path, expected(line, role)]),
      );
      expect(tours.get(role)?.faults).toEqual([]);
    });

    test.each(ROLES)("%s: is refused by the API what has no button", async (role) => {
      const person = people.find((each) => each.role === role);
      for (const [procedure, input] of refusedCalls(role)) {
        const { status } =
          person === undefined
            ? { status: 0 }
            : await callAs(person.api, procedure, input, procedure.endsWith(".list") ? "query" : "mutation");
        expect([403, 404], `${procedure} by ${role} answered ${status}`).toContain(status);
      }
    });

    test.each(ROLES)("%s: is told nothing of the other team, and no environment without the right to it", (role) => {
      const told = tours.get(role)?.told ?? "";
      const own = role === "guest" ? GUESTS : HARBOUR;
      const others = role === "guest" ? [...HARBOUR.names, HARBOUR.env, '"h1"', '"h3"', "/first", '"web"'] : [...GUESTS.names, GUESTS.env];
      expect(others.filter((name) => told.includes(name))).toEqual([]);
      expect(told.includes(own.env)).toBe(role !== "viewer" && role !== "watch");
    });
  });
}
