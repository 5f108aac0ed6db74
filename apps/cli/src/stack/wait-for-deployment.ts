import { setTimeout } from "node:timers/promises";
import { toFlotillaError } from "@flotilla/core";
import type { DeploymentDetail } from "./answers.ts";

const POLL_MS = 300;
/** Every how many looks somebody is asked for whom the rollout waits. */
const ASKS_EVERY = 5;
/** How often a control plane that cannot be reached is asked again, a minute altogether: a rollout goes on when that begins anew. */
const MAX_MISSED = 200;

export type Following = {
  read: () => Promise<DeploymentDetail>;
  /** The services that wait for a person to approve their canary. */
  readWaiting: () => Promise<readonly string[]>;
  note: (text: string) => void;
  pause?: (ms: number) => Promise<unknown>;
};

/** Tells the steps of a deployment, and whom it waits for, until it ends. @throws unavailable when nobody answers for a minute. */
export async function followDeployment({ read, readWaiting, note, pause = setTimeout }: Following): Promise<DeploymentDetail> {
  const seen = new Set<string>();
  const say = (key: string, text: string): void => {
    if (!seen.has(key)) note(text);
    seen.add(key);
  };
  for (let looks = 1, missed = 0; ; looks++) {
    try {
      const deployment = await read();
      for (const step of deployment.steps) say(`step ${step.id}`, `${step.service}: ${step.text}`);
      if (deployment.outcome !== "running") return deployment;
      if (looks % ASKS_EVERY === 0)
        for (const service of await readWaiting())
          say(
            `approve ${service}`,
            `${service}: waits for somebody to approve the canary: flotilla stack approve ${deployment.stack} --service ${service}`,
          );
      missed = 0;
    } catch (error) {
      const { code, message } = toFlotillaError(error);
      if (code !== "unavailable" || ++missed > MAX_MISSED) throw error;
      say("away", `${message}; the rollout goes on, trying again`);
    }
    await pause(POLL_MS);
  }
}
