// What somebody writes into the editor of stacks, for its pictures.
import type { Page } from "playwright-core";

const MISTAKES = `services:
  web:
    imgae: nginx
    ports: ["80:http"]
    restart: sometimes
    deploy: { replicas: many, placement: { constraints: [disk] } }
  api:
    image: shop:1.2
    build: { context: ., ssh: [default] }
    depends_on: [databse]
    networks: [backend]
    network_mode: none
  db: { image: "postgres:\${VERSION:?}", volumes: ["data:/var/lib/db:rx"] }
`;
const BROKEN = `services:
  web:
    image: "nginx
`;
const NOTES = `version: "3"
services:
  web:
    image: busybox
    build: { context: ., ssh: [default] }
    container_name: web
    command: [sleep, "\${SECONDS}"]
    gpus: all
    deploy: { placement: { constraints: ["node.role==worker"] } }
`;

async function write(page: Page, text: string): Promise<void> {
  await page.locator("main input").first().fill("notes");
  await page.locator(".cm-content").click();
  await page.keyboard.insertText(text);
  await page.locator("main ul li").first().waitFor();
}

export const writeMistakes = (page: Page): Promise<void> => write(page, MISTAKES);
export const writeBroken = (page: Page): Promise<void> => write(page, BROKEN);

export async function planNotes(page: Page): Promise<void> {
  await write(page, NOTES);
  await page.locator("main section button").first().click();
  await page.locator("[data-plan]").waitFor();
}

/** What a service uses, after a few samples. */
export async function openUse(page: Page): Promise<void> {
  await page.locator("main section button[aria-expanded]").last().click();
  await page.waitForTimeout(3_000);
}
