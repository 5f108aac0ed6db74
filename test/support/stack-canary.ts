// Secrets planted in a stack through every field that may hold one, and the places where they must not be.
import type { TestControl } from "./control.ts";

const STACK_CANARIES = {
  stackSecret: "canary-stack-secret-4d1e",
  stackConfig: "canary-stack-config-9b20",
  stackVariable: "canary-stack-variable-c7f3",
  stackEnvironment: "canary-stack-environment-02aa",
  stackArgument: "canary-stack-argument-e6d8",
  stackLabel: "canary-stack-label-51bc",
} as const;

type Ask = (path: string, input: unknown) => Promise<unknown>;

const STACK = "canaries";
const file = (image: string): string => `
services:
  web:
    image: ${image}
    command: [serve, "${STACK_CANARIES.stackArgument}"]
    environment: { LITERAL: ${STACK_CANARIES.stackEnvironment}, FILLED: $VARIABLE }
    labels: { own: ${STACK_CANARIES.stackLabel} }
    secrets: [canary_secret]
    configs: [canary_config]
secrets: { canary_secret: { external: true } }
configs: { canary_config: { external: true } }
`;
const base64 = (text: string): string => Buffer.from(text).toString("base64");

/** Makes a stack with all of them, changes it, changes its secret, and takes it back: each leaves rows of its own. @param mutate of somebody who may. */
export async function plantStackCanaries(mutate: Ask): Promise<void> {
  await mutate("secrets.set", { name: "canary_secret", base64: base64(STACK_CANARIES.stackSecret) });
  await mutate("configs.set", { name: "canary_config", base64: base64(STACK_CANARIES.stackConfig) });
  const deploy = (image: string): Promise<unknown> =>
    mutate("stacks.deploy", { name: STACK, files: { "compose.yaml": file(image) }, variables: { VARIABLE: STACK_CANARIES.stackVariable } });
  await deploy("one:1");
  await mutate("stacks.setVariables", { stack: STACK, variables: { VARIABLE: STACK_CANARIES.stackVariable } });
  await deploy("two:2");
  await mutate("stacks.plan", { name: STACK, files: { "compose.yaml": file("three:3") } });
  await mutate("secrets.set", { name: "canary_secret", base64: base64(`${STACK_CANARIES.stackSecret} again`) });
  await mutate("stacks.rollback", { stack: STACK });
  // Refused, and named in errors: what is wrong is told, not what was written.
  await mutate("stacks.deploy", { name: STACK, files: { "compose.yaml": file("one:1").replace("labels:", "lables:") } }).catch(
    () => undefined,
  );
}

/**
 * Everything about the stack that somebody who may read but not inspect can ask for: by name, as text. What is refused is the refusal.
 * @param query of that somebody.
 */
export async function readStackPlaces(query: Ask): Promise<Record<string, string>> {
  const { items = [] } = ((await query("deployments.list", { stack: STACK }).catch(() => ({}))) ?? {}) as { items?: { id: string }[] };
  const asked: [path: string, input: unknown][] = [
    ["stacks.list", undefined],
    ["stacks.get", { stack: STACK }],
    ["stacks.revision", { stack: STACK, revision: 1 }],
    ["stacks.plan", { name: STACK, files: { "compose.yaml": file("two:2") } }],
    ["stacks.variables", { stack: STACK }],
    ["stacks.rebalancePlan", { stack: STACK }],
    ["secrets.list", undefined],
    ["configs.list", undefined],
    ["overview.get", undefined],
    ["deployments.list", { stack: STACK }],
    ...items.map(({ id }): [string, unknown] => ["deployments.get", { id }]),
  ];
  const places = await Promise.all(
    asked.map(
      async ([path, input]) => [`${path} ${JSON.stringify(input ?? "")}`, JSON.stringify(await query(path, input).catch(String))] as const,
    ),
  );
  return Object.fromEntries(places.map(([place, text]) => [place.slice(0, 80), text]));
}

/** Which secrets are in which place, also encoded. Empty: none anywhere. */
export function findCanaries(
  places: Readonly<Record<string, string>>,
  canaries: Readonly<Record<string, string>> = STACK_CANARIES,
): string[] {
  const forms = (secret: string): string[] => [secret, base64(secret).replace(/.{2}=*$/, ""), Buffer.from(secret).toString("hex")];
  return Object.entries(places).flatMap(([place, text]) =>
    Object.entries(canaries).flatMap(([name, secret]) =>
      forms(secret).some((form) => text.includes(form)) ? [`${name} in ${place}`] : [],
    ),
  );
}

/** A caller of a control plane's procedures. */
export function askAs(control: TestControl, who: { token?: string; cookie?: string }, kind: "query" | "mutation"): Ask {
  return (path, input) => control.call(path, input, { kind: path === "stacks.plan" ? "mutation" : kind, ...who });
}
