import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { z } from "zod";

const DOCKER_HUB = "https://index.docker.io/v1/";
const config = z.object({
  auths: z.record(z.string(), z.object({ auth: z.string().optional(), identitytoken: z.string().optional() })).optional(),
});

type Environment = Readonly<Record<string, string | undefined>>;

/** The registry of an image's name, as Docker's configuration calls it. */
export function registryOf(image: string): string {
  const [first = "", ...rest] = image.split("/");
  const isHost = rest.length > 0 && (/[.:]/.test(first) || first === "localhost");
  return isHost && first !== "docker.io" ? first : DOCKER_HUB;
}

/** `X-Registry-Auth` for an image, from what `docker login` stored; empty credentials where it stored none. */
export function registryAuth(image: string, env: Environment): string {
  const registry = registryOf(image);
  const entry = readAuths(env)[registry];
  if (entry?.identitytoken !== undefined) return encode({ identitytoken: entry.identitytoken, serveraddress: registry });
  const [username, ...password] = Buffer.from(entry?.auth ?? "", "base64")
    .toString("utf8")
    .split(":");
  return encode(username === undefined || username === "" ? {} : { username, password: password.join(":"), serveraddress: registry });
}

/** `X-Registry-Config` of a build: all of them. */
export function registryConfig(env: Environment): string {
  const entries = Object.entries(readAuths(env)).flatMap(([registry, { auth }]) => {
    const [username = "", ...password] = Buffer.from(auth ?? "", "base64")
      .toString("utf8")
      .split(":");
    return username === "" ? [] : [[registry, { username, password: password.join(":") }] as const];
  });
  return encode(Object.fromEntries(entries));
}

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");

function readAuths(env: Environment): NonNullable<z.output<typeof config>["auths"]> {
  try {
    const text = readFileSync(join(env["DOCKER_CONFIG"] ?? join(homedir(), ".docker"), "config.json"), "utf8");
    return config.parse(JSON.parse(text)).auths ?? {};
  } catch {
    // No file, or one of another program's making: the engine asks without signing in.
    return {};
  }
}
