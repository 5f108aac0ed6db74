import {
  type Action,
  ACTIONS,
  BUILT_IN_ROLES,
  builtInRole,
  can,
  GRANTABLE_RIGHTS,
  type ObjectRef,
  type Right,
  rightsOfRole,
  type UserActor,
} from "@flotilla/services";
import type { Case, Row } from "./case.ts";
import { median } from "./measure.ts";

const TEAMS = 1_000;
const PEOPLE = 10_000;
const OBJECTS = 100_000;
const DECISIONS = 200_000;
const GRANTS_PER_TEAM = 20;

/** How long one decision of the authorizer takes among many teams, people and objects, a fifth of them on hosts of others. No peer. */
export const authorizer: Case = async ({ rounds }) => {
  const people = Array.from({ length: PEOPLE }, (_, index) => makePerson(index));
  const objects = Array.from({ length: OBJECTS }, (_, index) => makeObject(index));
  const samples = Array.from({ length: Math.min(rounds, 10) }, (_, round) => decideMany(people, objects, round));
  const name = `decision at ${TEAMS} teams, ${PEOPLE} people, ${OBJECTS} objects`;
  const row: Row = {
    name,
    unit: "µs",
    flotilla: median(samples),
    dockerd: undefined,
    ratio: undefined,
    target: "< 50 µs",
    samples: { flotilla: samples },
  };
  return [row];
};

/** Mean microseconds of a decision. */
function decideMany(people: readonly UserActor[], objects: readonly ObjectRef[], round: number): number {
  const actions = Object.keys(ACTIONS) as Action[];
  let allowed = 0;
  const startedAt = performance.now();
  for (let index = 0; index < DECISIONS; index += 1) {
    const actor = people[(index * 7_919 + round) % PEOPLE];
    // Every other object is of the actor's own team: a decision about others ends early.
    const object = objects[index % 2 === 0 ? (index * 104_729 + round) % OBJECTS : ((index * 7_919 + round) % PEOPLE) % TEAMS];
    const action = actions[index % actions.length];
    if (actor !== undefined && object !== undefined && action !== undefined && can(actor, action, object).allowed) allowed += 1;
  }
  const microseconds = ((performance.now() - startedAt) * 1_000) / DECISIONS;
  if (allowed === 0 || allowed === DECISIONS) throw new Error(`${allowed} of ${DECISIONS} decisions allowed: not a mixture`);
  return microseconds;
}

function makePerson(index: number): UserActor {
  const team = index % TEAMS;
  const role = BUILT_IN_ROLES[index % BUILT_IN_ROLES.length] ?? "viewer";
  const granted: ReadonlySet<Right> = new Set(GRANTABLE_RIGHTS);
  return {
    kind: "user",
    userId: `u${index}`,
    name: `u${index}`,
    email: `u${index}@example.test`,
    credential: { kind: "session", id: `s${index}` },
    team: { id: `t${team}`, name: `t${team}`, slug: `t${team}`, namespace: `t${team}` },
    role: builtInRole(role),
    rights: rightsOfRole(role),
    grants: new Map(Array.from({ length: GRANTS_PER_TEAM }, (_, host) => [`h${(team + host) % TEAMS}`, granted])),
    isInstanceAdmin: false,
    lacksTwoFactor: false,
    address: null,
  };
}

function makeObject(index: number): ObjectRef {
  const team = index % TEAMS;
  const owner = index % 5 === 0 ? (team + 1) % TEAMS : team;
  return { kind: "container", id: `c${index}`, name: `c${index}`, teamId: `t${team}`, host: { id: `h${team}`, teamId: `t${owner}` } };
}
