// Stacks, secrets and configs for the pictures of their pages.
import { ADMIN, type Product } from "../test/support/product.ts";

/** Calls a procedure as the administrator; what fails is said and passed over. @returns what it answered. */
export async function callProduct(filled: Product, procedure: string, input: unknown): Promise<unknown> {
  const response = await fetch(`${filled.url}/api/trpc/${procedure}`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${ADMIN.token}` },
    body: JSON.stringify(input),
  });
  if (!response.ok) console.error(`${procedure}: ${await response.clone().text()}`);
  const { result } = (await response.json()) as { result?: { data: unknown } };
  return result?.data ?? {};
}

const shopFile = (replicas: number): string => `services:
  web:
    image: busybox
    command: ["sh", "-c", "i=0; while true; do i=$$((i+1)); echo GET /items/$$i 200; sleep 1; done"]
    stop_signal: SIGKILL
    depends_on: [api]
    deploy: { replicas: ${replicas}, update_config: { order: start-first, monitor: 1s } }
  api:
    image: busybox
    command: ["sh", "-c", "while true; do echo order served; sleep 2; done"]
    stop_signal: SIGKILL
    depends_on: [db, cache]
    deploy: { replicas: 2, update_config: { monitor: 1s } }
  db: { image: busybox, command: [sleep, "100000"], stop_signal: SIGKILL, volumes: ["data:/var/lib/db"] }
  cache: { image: busybox, command: [sleep, "100000"], stop_signal: SIGKILL }
volumes: { data: {} }
`;
const blogFile = (script: string): string => `services:
  site:
    image: busybox
    command: ["sh", "-c", "${script}"]
    stop_signal: SIGKILL
    deploy: { replicas: 3, update_config: { monitor: 1s } }
`;
const STACKS_SETTLE_MS = 12_000;

/** A stack that was updated, and one whose update failed. */
export async function deployStacks(filled: Product): Promise<void> {
  const deploy = (name: string, text: string): Promise<unknown> =>
    callProduct(filled, "stacks.deploy", { name, files: { "compose.yaml": text } });
  await callProduct(filled, "secrets.set", { name: "db-password", base64: "c2VjcmV0" });
  await callProduct(filled, "configs.set", { name: "nginx.conf", base64: "d29ya2VyX3Byb2Nlc3NlcyAxOw==" });
  await startOutside(filled);
  await deploy("shop", shopFile(2));
  await deploy("blog", blogFile("exec sleep 100000"));
  await new Promise((resolve) => setTimeout(resolve, STACKS_SETTLE_MS));
  await deploy("shop", shopFile(3));
  await deploy("blog", blogFile("echo connecting to db:5432; echo relation orders is missing >&2; exit 3"));
  await new Promise((resolve) => setTimeout(resolve, STACKS_SETTLE_MS));
}

/** A project as a Compose leaves it on a host: one service whose containers are alike, one whose containers are not. */
async function startOutside(filled: Product): Promise<void> {
  await filled.docker(["network", "create", "legacy_default"]);
  const containers = [
    ["web", "1", "-e", "MODE=a"],
    ["web", "2", "-e", "MODE=b"],
    ["db", "1", "-e", "PASSWORD=s3cret", "-v", "legacy_data:/var/lib/db"],
  ] as const;
  for (const [service, number, ...options] of containers) {
    const labels = [`project=legacy`, `service=${service}`, `container-number=${number}`, "oneoff=False"];
    await filled.docker([
      "run",
      "-d",
      "--name",
      `legacy_${service}_${number}`,
      "--network",
      "legacy_default",
      ...labels.flatMap((label) => ["--label", `com.docker.compose.${label}`]),
      ...options,
      "busybox",
      "sleep",
      "100000",
    ]);
  }
}

/** Replicas come back as long as their stack is there: it goes before its product does. */
export async function removeStacks(filled: Product): Promise<void> {
  for (const stack of ["shop", "blog"]) await callProduct(filled, "stacks.remove", { stack });
  await new Promise((resolve) => setTimeout(resolve, STACKS_SETTLE_MS));
}
