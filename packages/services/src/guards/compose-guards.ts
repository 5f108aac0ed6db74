import { GUARD_KIND, type GuardState, guardState, stricterLimits } from "@flotilla/protocol";
import type { ResourceBody } from "@flotilla/protocol";
import type { ComposeScene, HostComposer } from "../context.ts";
import { findGuards, type FoundGuard } from "./find-guards.ts";

/** What containers of each namespace may do on a host. A namespace with nothing of its own is bound by the agent's safe default. */
export const guardComposer: HostComposer = {
  kind: GUARD_KIND,
  async compose({ host, once }) {
    const { teams } = await once(readTeamGuards);
    return new Map(composeGuards(teams.get(host.id) ?? []).map((state) => [state.namespace, toBody(state)]));
  },
};

const readTeamGuards = ({ tx, team, hosts }: ComposeScene): ReturnType<typeof findGuards> =>
  findGuards(
    tx,
    hosts.map(({ id }) => ({ id, team })),
  );

/** Pure: equal guard rails and grants to equal states. */
export function composeGuards(teams: readonly FoundGuard[]): GuardState[] {
  return teams.flatMap(({ team, guard, source, grantLimits }) => {
    const limits = stricterLimits(guard.limits, grantLimits);
    if (source === "safe" && Object.keys(limits).length === 0) return [];
    return [guardState.parse({ namespace: team.namespace, limits, allow: guard.allow })];
  });
}

/** Without what is undefined, which has no place in a resource. */
function toBody(state: GuardState): ResourceBody {
  return JSON.parse(JSON.stringify(state)) as ResourceBody;
}
