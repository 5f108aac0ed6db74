// People, roles, teams, tokens, accounts and webhooks for the pictures of the settings.
import type { Product } from "../test/support/product.ts";
import { callProduct } from "./screenshot-stacks.ts";

const DEPLOYER_RIGHTS = ["container.read", "container.logs", "container.run", "container.control", "image.read", "image.pull"];

/** A team as it is after some weeks. Nobody listens where the second webhook goes, which its deliveries then say. */
export async function fillSettings(filled: Product): Promise<void> {
  const call = (procedure: string, input: unknown): Promise<unknown> => callProduct(filled, procedure, input);
  await call("roles.create", { name: "On call", rights: [...DEPLOYER_RIGHTS, "container.terminal"] });
  await call("teams.create", { name: "Data", slug: "data" });
  const password = "a long enough password";
  await call("members.create", { name: "Grace Hopper", email: "grace@example.test", password, role: "maintainer" });
  await call("members.create", { name: "Alan Turing", email: "alan@example.test", password, role: "viewer" });
  await call("invitations.create", { email: "barbara@example.test", role: "deployer" });
  await call("hosts.grants.set", { host: "local", team: "data", rights: ["container.read", "container.run"], limits: { cpus: 1 } });
  await call("guards.set", { limits: { memoryBytes: 8 * 2 ** 30, containers: 200 }, allow: { binds: ["/srv/shared"] } });
  await call("tokens.create", { name: "laptop", expiresInDays: null });
  await call("tokens.create", { name: "ci deploys", expiresInDays: 90, rights: DEPLOYER_RIGHTS, hosts: ["local"] });
  const account = (await call("serviceAccounts.create", { name: "ci", role: "deployer" })) as { id: string };
  await call("serviceAccounts.createToken", { id: account.id, name: "github actions", expiresInDays: 30 });
  const events = ["deployment.failed", "host.down"];
  await call("webhooks.create", { name: "pager", url: "https://hooks.example.test/services/T024/flotilla", events });
  const local = { name: "log collector", url: "http://127.0.0.1:9/events", events: ["audit.*"], allowsPrivate: true };
  const webhook = (await call("webhooks.create", local)) as { id: string };
  await call("webhooks.test", { id: webhook.id });
}
