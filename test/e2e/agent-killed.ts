// A rollout whose host loses its agent inside the steps of a replica, on the real engine. Part of stacks.test.ts: in the lab that it has.
import { type IncomingMessage, request } from "node:http";
import { expect, test } from "vitest";
import { z } from "zod";
import type { Lab } from "../lab/lab.ts";
import { hostConfig } from "../lab/lab-plan.ts";
import { findInNode } from "../lab/nodes.ts";
import { IS_LONG } from "../support/is-long.ts";

const HOST = "h1";
const NAME = "killed";
/** The first process of a container does not hear SIGTERM: a stop takes the whole grace, and the agent dies in it. */
const text = (version: number): string => `
services:
  web:
    image: busybox
    command: sleep 600
    stop_grace_period: 1s
    environment: { VERSION: "${version}" }
    deploy:
      placement: { constraints: [node.hostname==${HOST}] }
      update_config: { order: stop-first, monitor: 100ms }
      x-flotilla: { drain: 0s }
`;
/** The last thing that the engine says before its agent is killed, one rollout a line: inside a stop and inside a start; in the long run around each step. */
const ROLLOUTS: readonly (readonly string[])[] = [
  ["container kill", "network connect"],
  ...(IS_LONG ? [["container die"], ["container destroy"], ["container create"], ["container start"]] : []),
];
const event = z.looseObject({ Type: z.string(), Action: z.string() });

type Rested = { detail: { state: string; replicas: { phase: string; state: string }[] }[] };
type Scene<T extends Rested> = {
  lab: () => Lab;
  get: (stack: string) => Promise<T>;
  eventually: <V>(look: () => Promise<V>, isDone: (found: V) => boolean, what?: string) => Promise<V>;
  deploy: (text: string, name: string) => Promise<{ deploymentId: string }>;
  ended: (id: string) => Promise<{ outcome: string }>;
};

/** Registers the test. */
export function testAgentKilled<T extends Rested>({ lab, get, eventually, deploy, ended }: Scene<T>): void {
  const list = async (): Promise<string> =>
    (await lab().docker(HOST, ["ps", "-aq", "--filter", `label=com.docker.compose.project=${NAME}`])).stdout.trim();

  test("is carried on by an agent that was killed inside its steps, with no container too many", async () => {
    await deploy(text(0), NAME);
    const isAtRest = ({ detail }: Rested): boolean =>
      detail.every(({ state, replicas: [first, ...others] }) => state === "done" && first?.phase === "running" && others.length === 0);
    await eventually(() => get(NAME), isAtRest, "a replica");
    for (const [index, moments] of ROLLOUTS.entries()) {
      const deployed = await killAt(lab(), moments, () => deploy(text(index + 1), NAME));
      expect(await ended(deployed.deploymentId)).toMatchObject({ outcome: "done" });
      await eventually(() => get(NAME), isAtRest, "rest");
      const id = await list();
      expect(id).toMatch(/^[0-9a-f]+$/);
      expect((await lab().docker(HOST, ["exec", id, "sh", "-c", "echo $VERSION"])).stdout.trim()).toBe(String(index + 1));
    }
    await lab().mutate("stacks.remove", { stack: NAME });
    await eventually(list, (ids) => ids === "", "the end of its container");
  });
}

/** Begins something once it listens, kills the agent when its engine says each of these, one after the other, and starts it again. */
async function killAt<V>(lab: Lab, moments: readonly string[], begin: () => Promise<V>): Promise<V> {
  let begun: Promise<V> | undefined;
  for (const moment of moments) {
    const [agent] = findInNode({ lab: lab.plan.name, node: HOST }, /agent\/dist\/main\.mjs/);
    if (agent === undefined) throw new Error(`no agent runs on ${HOST}`);
    const events = await listen(lab, begun === undefined ? "" : "?since=1");
    begun ??= begin();
    await untilSaid(events, moment);
    process.kill(agent, "SIGKILL");
    await lab.killAgent(HOST);
    await lab.startAgent(HOST);
  }
  return (await begun) as V;
}

/** The engine's events. @param query an agent that has begun again may be ahead of us: with `since` it says what it has said already. */
function listen(lab: Lab, query: string): Promise<IncomingMessage> {
  const { socketPath } = hostConfig(lab.plan, HOST);
  return new Promise((resolve, reject) => {
    request({ socketPath, path: `/v1.47/events${query}` }, resolve)
      .on("error", reject)
      .end();
  });
}

async function untilSaid(events: IncomingMessage, moment: string): Promise<void> {
  let rest = "";
  for await (const chunk of events) {
    rest += String(chunk);
    const lines = rest.split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const { Type: type, Action: action } = event.parse(JSON.parse(line));
      if (`${type} ${action}` === moment) return;
    }
  }
  throw new Error(`the engine ended before it said ${moment}`);
}
