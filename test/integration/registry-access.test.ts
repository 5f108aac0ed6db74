import { issuePullCredential, signRegistryToken } from "@flotilla/services";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ADMIN, ADMIN_TOKEN, startTestControl, type TestControl } from "../support/control.ts";
import { digestOf, errorOf, fetchToken, OCI_MANIFEST, registryClient, type RegistryClient, tokenFor } from "../support/registry-client.ts";

// Who may do what, by tokens as the docker command gets them, and what hostile clients try (attacks.md 14).
let control: TestControl;
let admin: RegistryClient;
let stranger: RegistryClient;
const basic = { username: ADMIN.email, password: ADMIN.password };
const STRANGER = { username: "s@example.test", password: "s's long password" };

beforeAll(async () => {
  control = await startTestControl({ withAdmin: true });
  admin = registryClient(control, ADMIN_TOKEN);
  await control.call(
    "members.create",
    { name: "S", email: STRANGER.username, password: STRANGER.password, role: "owner" },
    { kind: "mutation", token: ADMIN_TOKEN },
  );
  const other = await control.services.prisma.team.create({ data: { name: "Other", slug: "other", namespace: "other" } });
  await control.services.prisma.membership.updateMany({ where: { user: { email: STRANGER.username } }, data: { teamId: other.id } });
  const cookie = await control.signIn(STRANGER.username, STRANGER.password);
  const made = (await control.call("tokens.create", { name: "t", expiresInDays: 1 }, { kind: "mutation", cookie })) as { token: string };
  stranger = registryClient(control, made.token);
});
afterAll(() => control.close());

const accessOf = (token: string): unknown =>
  (JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as { access: unknown }).access;

describe("tokens", () => {
  test("the challenge names the realm, the service and the scope", async () => {
    const ping = await fetch(`${control.url}/v2/`);
    expect([ping.status, ping.headers.get("docker-distribution-api-version")]).toEqual([401, "registry/2.0"]);
    expect(ping.headers.get("www-authenticate")).toBe(`Bearer realm="${control.url}/v2/token",service="flotilla-registry"`);
    const push = await fetch(`${control.url}/v2/team/app/blobs/uploads/`, { method: "POST" });
    expect(push.headers.get("www-authenticate")).toContain('scope="repository:team/app:pull,push"');
    expect(await errorOf(push)).toMatchObject({ status: 401, code: "UNAUTHORIZED" });
  });

  test("e-mail and password, or any name and an API token, give what their holder may do", async () => {
    for (const credentials of [basic, { username: "anything", password: ADMIN_TOKEN }]) {
      const token = await tokenFor(control, ["repository:team/app:pull,push"], credentials);
      expect(accessOf(token)).toEqual([{ type: "repository", name: "team/app", actions: ["pull", "push"] }]);
      expect((await registryClient(control, token).fetch("/v2/")).status).toBe(200);
    }
    const form = new URLSearchParams({ grant_type: "password", service: "flotilla-registry", scope: "repository:team/app:pull", ...basic });
    const posted = await fetch(`${control.url}/v2/token`, { method: "POST", body: form });
    expect([posted.status, typeof ((await posted.json()) as { access_token: string }).access_token]).toEqual([200, "string"]);
  });

  test("wrong credentials are refused, and many of them close the account for a while", async () => {
    expect((await fetchToken(control, [], { username: "any", password: `${ADMIN_TOKEN}x` })).status).toBe(401);
    expect((await fetchToken(control, [], { username: "flotilla-host", password: "x.y.z" })).status).toBe(401);
    for (let attempt = 0; attempt < 10; attempt++) {
      expect((await fetchToken(control, [], { username: "guess@example.test", password: "wrong" })).status).toBe(401);
    }
    expect((await fetchToken(control, [], { username: "guess@example.test", password: "wrong" })).status).toBe(429);
  });

  test("scopes are narrowed to what the caller may do, and garbage gives nothing", async () => {
    const scopes = [
      "repository:other/app:pull,push",
      "repository:team/a:*",
      "repository:../../etc:pull",
      "registry:catalog:*",
      "x",
      "repository:team/b:admin",
    ];
    expect(accessOf(await tokenFor(control, scopes, basic))).toEqual([
      { type: "repository", name: "other/app", actions: [] },
      { type: "repository", name: "team/a", actions: ["pull", "push", "delete"] },
      { type: "registry", name: "catalog", actions: ["*"] },
      { type: "repository", name: "team/b", actions: [] },
    ]);
  });

  test("a token is good for its scope only, even where its holder may do more", async () => {
    await admin.pushImage("team/scoped", "v1");
    const token = await tokenFor(control, ["repository:team/scoped:pull"], basic);
    const client = registryClient(control, token);
    expect((await client.fetch("/v2/team/scoped/manifests/v1")).status).toBe(200);
    const push = await client.fetch("/v2/team/scoped/blobs/uploads/", { method: "POST" });
    expect([push.status, push.headers.get("www-authenticate")?.includes("insufficient_scope")]).toEqual([401, true]);
    expect((await client.fetch("/v2/team/scoped/manifests/v1", { method: "DELETE" })).status).toBe(401);
    expect((await client.fetch("/v2/team/another/tags/list")).status).toBe(401);
  });

  test("forged, altered and foreign tokens are worth nothing", async () => {
    const token = await tokenFor(control, ["repository:team/app:pull"], basic);
    const [header = "", body = "", signature = ""] = token.split(".");
    const widened = Buffer.from(Buffer.from(body, "base64url").toString().replace('"pull"', '"pull","push"')).toString("base64url");
    const none = Buffer.from('{"alg":"none","typ":"JWT"}').toString("base64url");
    const key = control.services.registry.tokenKey;
    const user = { kind: "anonymous" } as const;
    const expired = signRegistryToken(
      key,
      { audience: "flotilla-registry", subject: user, access: [], lifetimeSeconds: 60 },
      Date.now() - 3_600_000,
    );
    const foreign = signRegistryToken(key, { audience: "elsewhere", subject: user, access: [], lifetimeSeconds: 60 }, Date.now());
    for (const bad of [
      `${header}.${widened}.${signature}`,
      `${none}.${body}.`,
      `${header}.${body}.`,
      expired,
      foreign,
      "flt_nothing",
      "a.b.c",
    ]) {
      expect((await registryClient(control, bad).fetch("/v2/")).status).toBe(401);
    }
  });

  test("a token of somebody who was removed ends with them", async () => {
    const { id } = await control
      .call(
        "members.create",
        { name: "L", email: "leaver@example.test", password: "leaver's password", role: "deployer" },
        { kind: "mutation", token: ADMIN_TOKEN },
      )
      .then(async () => await control.services.prisma.user.findUniqueOrThrow({ where: { email: "leaver@example.test" } }));
    const token = await tokenFor(control, ["repository:team/app:pull"], { username: "leaver@example.test", password: "leaver's password" });
    expect((await registryClient(control, token).fetch("/v2/")).status).toBe(200);
    await control.call("members.remove", { id }, { kind: "mutation", token: ADMIN_TOKEN });
    expect((await registryClient(control, token).fetch("/v2/")).status).toBe(401);
  });

  test("a cookie of the dashboard means nothing here", async () => {
    const cookie = await control.signIn(ADMIN.email, ADMIN.password);
    const response = await fetch(`${control.url}/v2/team/app/blobs/uploads/`, { method: "POST", headers: { cookie, origin: control.url } });
    expect(response.status).toBe(401);
  });

  test("a host pulls its team's images by a credential from the control plane, and does nothing else", async () => {
    const team = await control.services.prisma.team.findUniqueOrThrow({ where: { slug: "team" } });
    const host = await control.services.prisma.host.create({ data: { teamId: team.id, name: "puller", publicKey: "x".repeat(43) } });
    await admin.pushImage("team/hosted", "v1");
    const { username, password, serverAddress } = issuePullCredential(control.services, host.id);
    expect(serverAddress).toBe(`127.0.0.1:${control.port}`);
    const token = await tokenFor(control, ["repository:team/hosted:pull,push,delete", "repository:other/x:pull", "registry:catalog:*"], {
      username,
      password,
    });
    expect(accessOf(token)).toEqual([
      { type: "repository", name: "team/hosted", actions: ["pull"] },
      { type: "repository", name: "other/x", actions: [] },
    ]);
    const client = registryClient(control, token);
    expect((await client.fetch("/v2/team/hosted/manifests/v1")).status).toBe(200);
    expect((await client.fetch("/v2/team/hosted/blobs/uploads/", { method: "POST" })).status).toBe(403);
    // The credential is no bearer token by itself.
    expect((await registryClient(control, password).fetch("/v2/")).status).toBe(401);
    await control.services.prisma.host.delete({ where: { id: host.id } });
    control.services.cache.clear();
    expect((await client.fetch("/v2/team/hosted/manifests/v1")).status).toBe(401);
    expect((await fetchToken(control, [], { username, password })).status).toBe(401);
  });
});

describe("other teams", () => {
  test("a private repository and one that does not exist answer alike", async () => {
    const image = await admin.pushImage("team/secret", "v1");
    for (const [path, method] of [
      ["manifests/v1", "GET"],
      [`blobs/${image.layer}`, "GET"],
      [`blobs/${image.layer}`, "HEAD"],
      ["tags/list", "GET"],
      [`referrers/${image.digest}`, "GET"],
      ["blobs/uploads/", "POST"],
      ["manifests/v1", "DELETE"],
    ] as const) {
      const answers = await Promise.all(
        ["team/secret", "team/nowhere", "nobody/nothing"].map(async (name) => {
          const response = await stranger.fetch(`/v2/${name}/${path}`, { method });
          return [response.status, (await response.text()).replaceAll(name, "NAME")];
        }),
      );
      expect(answers[0]).toEqual(answers[1]);
      expect(answers[1]).toEqual(answers[2]);
      expect(answers[0]?.[0]).toBe(403);
    }
    expect((await fetch(`${control.url}/v2/team/secret/manifests/v1`)).status).toBe(401);
  });

  test("a public repository is read by everybody and written by its team only", async () => {
    const image = await admin.pushImage("team/open", "v1");
    await control.call(
      "registry.repositories.update",
      { repository: "team/open", isPublic: true },
      { kind: "mutation", token: ADMIN_TOKEN },
    );
    const anonymous = registryClient(control, await tokenFor(control, ["repository:team/open:pull,push"]));
    for (const client of [stranger, anonymous]) {
      expect((await client.fetch("/v2/team/open/manifests/v1")).status).toBe(200);
      expect((await client.fetch(`/v2/team/open/blobs/${image.layer}`)).status).toBe(200);
      expect([401, 403]).toContain((await client.fetch("/v2/team/open/blobs/uploads/", { method: "POST" })).status);
    }
    await control.call(
      "registry.repositories.update",
      { repository: "team/open", isPublic: false },
      { kind: "mutation", token: ADMIN_TOKEN },
    );
    expect((await anonymous.fetch("/v2/team/open/manifests/v1")).status).toBe(401);
  });

  test("the catalogue shows own and public repositories, and nothing to who has not signed in", async () => {
    await stranger.pushImage("other/mine", "v1");
    await control.call(
      "registry.repositories.create",
      { repository: "team/shown", isPublic: true },
      { kind: "mutation", token: ADMIN_TOKEN },
    );
    const seen = (await (await stranger.fetch("/v2/_catalog")).json()) as { repositories: string[] };
    expect(seen.repositories).toEqual(["other/mine", "team/shown"]);
    expect((await fetch(`${control.url}/v2/_catalog`)).status).toBe(401);
    const page = await stranger.fetch("/v2/_catalog?n=1");
    expect(page.headers.get("link")).toBe('</v2/_catalog?n=1&last=other%2Fmine>; rel="next"');
  });

  test("a blob cannot be mounted out of a repository that the caller may not pull, nor guessed by its digest", async () => {
    const image = await admin.pushImage("team/vault", "v1");
    const mount = await stranger.fetch(`/v2/other/thief/blobs/uploads/?mount=${image.layer}&from=team/vault`, { method: "POST" });
    expect(mount.status).toBe(202);
    expect((await stranger.fetch(`/v2/other/thief/blobs/${image.layer}`)).status).toBe(404);
    const manifest = await stranger.fetch("/v2/other/thief/manifests/v1", {
      method: "PUT",
      headers: { "content-type": OCI_MANIFEST },
      body: image.manifest,
    });
    expect(await errorOf(manifest)).toMatchObject({ status: 400, code: "MANIFEST_BLOB_UNKNOWN" });
    // A token for the target alone does not reach into another repository of one's own team either.
    const narrow = registryClient(control, await tokenFor(control, ["repository:team/copy:pull,push"], basic));
    expect((await narrow.fetch(`/v2/team/copy/blobs/uploads/?mount=${image.layer}&from=team/vault`, { method: "POST" })).status).toBe(202);
  });

  test("an upload belongs to the person and repository that began it", async () => {
    const begun = await admin.fetch("/v2/team/mine/blobs/uploads/", { method: "POST" });
    const location = begun.headers.get("location") ?? "";
    const id = location.split("/").at(-1) ?? "";
    await control.call(
      "members.create",
      { name: "M", email: "m@example.test", password: "m's long password", role: "deployer" },
      { kind: "mutation", token: ADMIN_TOKEN },
    );
    const colleague = registryClient(
      control,
      await tokenFor(control, ["repository:team/mine:pull,push"], { username: "m@example.test", password: "m's long password" }),
    );
    for (const method of ["GET", "PATCH", "PUT", "DELETE"]) {
      const suffix = method === "PUT" ? `?digest=${digestOf("")}` : "";
      expect(await errorOf(await colleague.fetch(`${location}${suffix}`, { method }))).toMatchObject({ code: "BLOB_UPLOAD_UNKNOWN" });
      expect(await errorOf(await admin.fetch(`/v2/team/elsewhere/blobs/uploads/${id}${suffix}`, { method }))).toMatchObject({
        code: "BLOB_UPLOAD_UNKNOWN",
      });
      expect((await stranger.fetch(`${location}${suffix}`, { method })).status).toBe(403);
    }
    expect((await admin.fetch(location)).status).toBe(204);
  });
});
