import { FlotillaError } from "@flotilla/core";
import { describe, expect, test } from "vitest";
import type { DeploymentDetail } from "./answers.ts";
import { followDeployment } from "./wait-for-deployment.ts";

const step = (id: string): DeploymentDetail["steps"][number] => ({ id, time: "", service: "web", level: "info", text: `step ${id}` });
const look = (outcome: string, ...ids: string[]): DeploymentDetail => ({
  id: "d",
  stack: "shop",
  outcome,
  message: "",
  steps: ids.map(step),
});
const away = new FlotillaError("unavailable", "https://control cannot be reached");

/** Follows what is told look by look, the last one for ever. */
async function follow(looks: (DeploymentDetail | Error)[], waiting: string[] = []): Promise<{ notes: string[]; outcome: string }> {
  const notes: string[] = [];
  let at = 0;
  const read = async (): Promise<DeploymentDetail> => {
    const told = looks[Math.min(at++, looks.length - 1)];
    if (told === undefined || told instanceof Error) throw told ?? new Error("nothing");
    return told;
  };
  const end = await followDeployment({
    read,
    readWaiting: async () => waiting,
    note: (text) => notes.push(text),
    pause: async () => undefined,
  }).then(
    ({ outcome }) => outcome,
    (error: unknown) => (error as Error).message,
  );
  return { notes, outcome: end };
}

describe("a deployment that is followed", () => {
  test("tells each step once", async () => {
    expect(await follow([look("running", "1"), look("running", "1", "2"), look("done", "1", "2", "3")])).toEqual({
      notes: ["web: step 1", "web: step 2", "web: step 3"],
      outcome: "done",
    });
  });

  test("says once for whom it waits", async () => {
    const looks = [...Array.from({ length: 12 }, () => look("running")), look("done")];
    expect((await follow(looks, ["web"])).notes).toEqual([
      "web: waits for somebody to approve the canary: flotilla stack approve shop --service web",
    ]);
  });

  test("goes on when the control plane was away, and ends when it stays away", async () => {
    const note = "https://control cannot be reached; the rollout goes on, trying again";
    expect(await follow([look("running", "1"), away, away, look("done", "1")])).toEqual({ notes: ["web: step 1", note], outcome: "done" });
    expect(await follow([away])).toEqual({ notes: [note], outcome: away.message });
    expect(await follow([new FlotillaError("invalid", "no such deployment")])).toEqual({ notes: [], outcome: "no such deployment" });
  });
});
