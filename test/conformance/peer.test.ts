// The same commands that `npm run peer` gave to Debian's dockerd, with the outcomes that it recorded.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { KNOWN_DIFFERENCES, OLDER_COMMAND, UNCOMPARED_LINES } from "../peer/known-differences.ts";
import recorded from "../peer/outcomes.json" with { type: "json" };
import { PEER_CASES } from "../peer/peer-cases.ts";
import { runCase, type Outcome, type Outcomes } from "../peer/run-case.ts";
import { startTestAgent, type TestAgent } from "../support/agent.ts";
import { dockerMajor } from "../support/docker.ts";

const { peer, cases }: Outcomes = recorded;

let agent: TestAgent;
let differences = [...KNOWN_DIFFERENCES];

beforeAll(async () => {
  if ((await dockerMajor()) < 23) differences = [...differences, ...OLDER_COMMAND.map((known) => ({ ...known, reason: "docker 20.10" }))];
  agent = await startTestAgent();
});
afterAll(async () => agent.close());

test("every case has a recorded outcome, and every outcome its case: else `npm run peer`", () => {
  expect(Object.keys(cases)).toEqual(PEER_CASES.map((peerCase) => peerCase.name));
});

describe(`as ${peer}`, () => {
  test.each(PEER_CASES.map((peerCase) => [peerCase.name, peerCase] as const))("%s", async (name, peerCase) => {
    const expected = (cases[name] ?? []).map((outcome, step) => differenceAt(name, step) ?? outcome);
    const outcomes = await runCase(agent.host, peerCase);
    expect(withCommands(outcomes)).toEqual(withCommands(expected));

    /** The command of each step beside its outcome, for whoever reads a failure. */
    function withCommands(list: readonly Outcome[]): unknown[] {
      return list.map(({ exitCode, output }, step) => ({
        docker: peerCase.steps[step]?.argv.join(" "),
        exitCode,
        output: output.filter((line) => !UNCOMPARED_LINES.some((uncompared) => uncompared.line.test(line))),
      }));
    }
  });
});

function differenceAt(peerCase: string, step: number): Outcome | undefined {
  return differences.find((known) => known.peerCase === peerCase && known.step === step)?.ours;
}
