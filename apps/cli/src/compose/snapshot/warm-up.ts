import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { composeCommand } from "../compose-command.ts";
import { type Call, EngineClient } from "../engine/client.ts";
import { LABEL, ONEOFF } from "../plan/labels.ts";

const SERVICES = ["api", "cache", "db", "web"];

/** Something of each kind that compose files usually have. */
const FILE = `
name: warm
x-common: &common
  restart: unless-stopped
  stop_grace_period: 5s
services:
  db:
    <<: *common
    image: postgres:17
    environment: {POSTGRES_PASSWORD: "\${PASSWORD:-secret}", POSTGRES_DB: app}
    volumes: ["data:/var/lib/postgresql/data"]
    healthcheck: {test: [CMD, pg_isready], interval: 5s, retries: 5}
  cache: {image: redis, command: redis-server --save "", networks: [back, default], labels: {tier: "back"}}
  api:
    image: example/api:latest
    build: {context: ., args: {VERSION: "1"}}
    env_file: [{path: .env.missing, required: false}]
    environment:
      - NODE_ENV=production
      - DB=db
    depends_on: {db: {condition: service_healthy}, cache: {condition: service_started}}
    deploy: {replicas: 1, resources: {limits: {cpus: "0.5", memory: 256M}}}
    networks: {default: , back: {aliases: [backend]}}
  web:
    image: nginx
    ports: ["8080:80", {target: 443, published: "8443"}]
    depends_on: [api]
    volumes: ["./html:/usr/share/nginx/html:ro"]
networks: {back: {}}
volumes: {data: {}}
`;

/** What an engine answers that has all of it: by path, else an image. */
const ANSWERS: Readonly<Record<string, unknown>> = {
  "/containers/json": SERVICES.map((service) => ({
    Id: service,
    Names: [`/warm-${service}-1`],
    Image: service,
    ImageID: "sha256:0",
    Command: "run",
    Created: 0,
    State: "running",
    Status: "Up",
    Labels: { [LABEL.project]: "warm", [LABEL.service]: service, [LABEL.number]: "1", [LABEL.oneoff]: ONEOFF.no },
    Ports: [{ IP: "0.0.0.0", PrivatePort: 80, PublicPort: 8080, Type: "tcp" }],
  })),
  "/networks": [{ Name: "warm_default" }, { Name: "warm_back" }],
  "/volumes": { Volumes: [{ Name: "warm_data" }] },
};

/** An engine with nothing behind it: what a snapshot is made of may have no connection. */
class WarmEngine extends EngineClient {
  constructor() {
    super({ kind: "unix", socketPath: "/nonexistent", isLocal: true });
  }

  override async stream({ path }: Call): Promise<IncomingMessage> {
    const answer = JSON.stringify(ANSWERS[path] ?? { Id: "sha256:0", Created: "2026-01-01T00:00:00Z" });
    return Object.assign(Readable.from([Buffer.from(answer)]), { statusCode: 200, headers: {} }) as unknown as IncomingMessage;
  }
}

/**
 * Runs the frequent commands with nothing to do, so that the snapshot has their functions compiled. It reads its file from `dir`, changes
 * nothing, and knows no environment: what a snapshot remembers of where it was made would be believed where it runs.
 * @param write writes a file into `dir` by name.
 * @returns what the commands printed.
 * @throws when one of them fails: such a snapshot must not be made.
 */
export async function warmUp(dir: string, write: (name: string, text: string) => void): Promise<string> {
  write("compose.yaml", FILE);
  let text = "";
  const stream = { write: (more: string): void => void (text += more) };
  const io = { environment: {}, stdout: stream, stderr: stream, version: "warm", workingDir: dir, engine: new WarmEngine() };
  const codes: number[] = [];
  for (const args of [["up", "-d", "--no-recreate"], ["ps"], ["config", "-q"]])
    await composeCommand(
      (code) => codes.push(code),
      () => io,
    ).parseAsync(["--progress", "plain", ...args], { from: "user" });
  if (codes.length !== 3 || codes.some((code) => code !== 0)) throw new Error(`the warm-up ended with ${codes.join(", ")}: ${text}`);
  return text;
}
