// Two teams on the three hosts of a lab: the first owns them and lends one, each has things of its own, and there is a person in each role.
import { readFileSync } from "node:fs";
import { type APIRequestContext, type Browser, type BrowserContext, request } from "playwright-core";
import { z } from "zod";
import { ADMIN_EMAIL } from "../lab/control-node.ts";
import type { Lab } from "../lab/lab.ts";

/** Instance administrator, owner, maintainer, deployer, viewer and a role of the team's own, and the owner of the other team. */
export const ROLES = ["admin", "owner", "maintainer", "deployer", "viewer", "watch", "guest"] as const;
export type Role = (typeof ROLES)[number];

/** What only one team may know of, as it stands in answers. */
export const HARBOUR = {
  env: "harbour-canary",
  names: ["harbour-web", "harbour-data", "harbour-shop", "harbour-password", "team/harbour"],
};
export const GUESTS = { env: "guest-canary", names: ["guest-app", "guest-net", "guest-image", "guest-password"] };
const PASSWORD = "a long enough password";
const WATCH = ["host.read", "container.read", "container.control", "audit.read"];
/** No terminal, no files, no removal, no volumes. */
const LENT = ["host.read", "container.read", "container.inspect", "container.logs", "container.run", "container.control"];
const LENT_OTHERS = ["image.read", "image.change", "network.read", "network.change"];
const PRINTING = ["sh", "-c", "trap 'exit 0' TERM; echo it runs; while true; do sleep 1 & wait; done"];
const SHOP = `
services:
  web:
    image: busybox
    command: ["sleep", "600"]
    init: true
    network_mode: none
`;

const made = z.object({ id: z.string() });
const token = z.object({ token: z.string() });

/** A person in a browser of their own; their calls of the API carry the same cookies. */
export type Person = { role: Role; context: BrowserContext; api: APIRequestContext };

const emailOf = (role: Role): string => (role === "admin" ? ADMIN_EMAIL : `${role}@lab.test`);

/** Calls a procedure as a page does. @returns status and answer; nothing is thrown. */
export async function callAs(api: APIRequestContext, procedure: string, input: unknown, kind: "query" | "mutation" = "mutation") {
  const path = `/api/trpc/${procedure}`;
  const answer = await (kind === "mutation"
    ? api.post(path, { data: JSON.stringify(input), headers: { "content-type": "application/json" } })
    : api.get(`${path}${input === undefined ? "" : `?input=${encodeURIComponent(JSON.stringify(input))}`}`));
  const text = await answer.text();
  const parsed = z.object({ result: z.object({ data: z.unknown() }).optional() }).safeParse(JSON.parse(text));
  return { status: answer.status(), text, data: parsed.data?.result?.data };
}

async function change(api: APIRequestContext, procedure: string, input: unknown): Promise<unknown> {
  const { status, text, data } = await callAs(api, procedure, input);
  if (status !== 200) throw new Error(`${procedure}: ${status} ${text}`);
  return data;
}

/** Makes teams, people, grant and things, and signs everybody in. */
export async function makeCast(lab: Lab, browser: Browser, tar: string): Promise<Person[]> {
  const url = z.string().parse((await lab.status()).url);
  const admin = await signIn(browser, { url, role: "admin", password: lab.plan.adminPassword });
  await Promise.all([makeHarbour(admin.api), makeHarbourThings(lab)]);
  const { id: guests } = made.parse(await change(admin.api, "teams.create", { name: "Guests", slug: "guests" }));
  await change(admin.api, "hosts.grants.set", { host: "h2", team: "guests", rights: [...LENT, ...LENT_OTHERS], limits: {} });
  const home = z.object({ team: made }).parse((await callAs(admin.api, "me.get", undefined, "query")).data).team.id;
  await change(admin.api, "me.switchTeam", { id: guests });
  await change(admin.api, "members.create", { name: "guest", email: emailOf("guest"), password: PASSWORD, role: "owner" });
  await change(admin.api, "me.switchTeam", { id: home });
  const others = await Promise.all(
    ROLES.filter((role) => role !== "admin").map((role) => signIn(browser, { url, role, password: PASSWORD })),
  );
  const guest = others.find(({ role }) => role === "guest");
  if (guest !== undefined) await makeGuestThings(url, guest.api, tar);
  return [admin, ...others];
}

async function signIn(browser: Browser, who: { url: string; role: Role; password: string }): Promise<Person> {
  const { url, role, password } = who;
  const context = await browser.newContext({
    baseURL: url,
    ignoreHTTPSErrors: true,
    locale: "en-GB",
    reducedMotion: "reduce",
    extraHTTPHeaders: { origin: url },
  });
  const answer = await context.request.post("/api/auth/sign-in/email", { data: { email: emailOf(role), password } });
  if (!answer.ok()) throw new Error(`${role} cannot sign in: ${answer.status()} ${await answer.text()}`);
  return { role, context, api: context.request };
}

async function makeHarbour(api: APIRequestContext): Promise<void> {
  const { id: watch } = made.parse(await change(api, "roles.create", { name: "Watch", rights: WATCH }));
  const roles = { owner: "owner", maintainer: "maintainer", deployer: "deployer", viewer: "viewer", watch };
  const people = Object.entries(roles).map(([name, role]) => ({ name, email: `${name}@lab.test`, password: PASSWORD, role }));
  await Promise.all([
    ...people.map((person) => change(api, "members.create", person)),
    change(api, "secrets.set", { name: "harbour-password", base64: btoa(HARBOUR.env) }),
    change(api, "registry.repositories.create", { repository: "team/harbour" }),
    change(api, "stacks.deploy", { name: "harbour-shop", files: { "compose.yaml": SHOP } }),
  ]);
}

async function makeHarbourThings(lab: Lab): Promise<void> {
  await ran(lab.docker("h1", ["volume", "create", "harbour-data"]));
  const options = ["--name", "harbour-web", "-e", `TOKEN=${HARBOUR.env}`, "-v", "harbour-data:/data"];
  await ran(lab.docker("h1", ["run", "-d", ...options, "busybox", ...PRINTING]));
}

async function ran(result: Promise<{ exitCode: number; stderr: string }>): Promise<void> {
  const { exitCode, stderr } = await result;
  if (exitCode !== 0) throw new Error(stderr);
}

/** By the Docker API of the host that is lent to them. */
async function makeGuestThings(url: string, api: APIRequestContext, tar: string): Promise<void> {
  await change(api, "secrets.set", { name: "guest-password", base64: btoa(GUESTS.env) });
  const { token: bearer } = token.parse(await change(api, "tokens.create", { name: "t", expiresInDays: 1 }));
  const headers = { authorization: `Bearer ${bearer}` };
  const docker = await request.newContext({ baseURL: url, ignoreHTTPSErrors: true, extraHTTPHeaders: headers });
  const post = async (path: string, data?: Buffer | object): Promise<void> => {
    const answer = await docker.post(`/docker/h2/v1.47${path}`, { ...(data === undefined ? {} : { data }), timeout: 60_000 });
    if (!answer.ok()) throw new Error(`${path}: ${answer.status()} ${await answer.text()}`);
  };
  await post("/images/create?fromSrc=-&repo=guest-image&tag=1", readFileSync(tar));
  await post("/networks/create", { Name: "guest-net", Driver: "bridge" });
  await post("/containers/create?name=guest-app", { Image: "guest-image:1", Cmd: PRINTING, Env: [`TOKEN=${GUESTS.env}`] });
  await post("/containers/guest-app/start");
  await docker.dispose();
}

/** Takes away what the first team has of it; the other team's things go with the lab. */
export async function strikeCast(lab: Lab): Promise<void> {
  await lab.mutate("stacks.remove", { stack: "harbour-shop" });
  await ran(lab.docker("h1", ["rm", "-f", "harbour-web"]));
  await ran(lab.docker("h1", ["volume", "rm", "harbour-data"]));
}
