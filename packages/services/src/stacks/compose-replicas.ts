// What a host is told of stacks: its replicas, and the secrets and configs that they mount.
import type { Project, Service } from "@flotilla/compose";
import { FlotillaError, toFlotillaError } from "@flotilla/core";
import { Prisma } from "@flotilla/db";
import {
  MAX_REPLICA_TEXT,
  REPLICA_KIND,
  type ReplicaFile,
  type ReplicaState,
  type ResourceBody,
  STACK_FILE_KIND,
} from "@flotilla/protocol";
import { z } from "zod";
import { openText } from "../access/secrets.ts";
import type { ComposeScene, HostComposer, ServiceContext } from "../context.ts";
import { readTeamOverlays } from "../networks/overlay-rows.ts";
import { hostLossPolicy, isJob, restartPolicy } from "./service-policy.ts";
import { fileKey, openProjects, type ServiceTarget, serviceTarget } from "./stack-model.ts";
import { toContainerBody } from "./to-container-body.ts";

/** Mode of a secret or config that says nothing: its owner may read it. */
const FILE_MODE = 0o400;
const CONFIG_MODE = 0o444;

const replicaRows = z.array(
  z.object({
    id: z.string(),
    hostId: z.string(),
    slot: z.string(),
    hash: z.string(),
    target: serviceTarget,
    adopts: z.string().nullable(),
    service: z.string(),
    stackId: z.string(),
    stack: z.string(),
    teamId: z.string(),
    namespace: z.string(),
  }),
);
type Row = z.output<typeof replicaRows>[number];

type SharedNetwork = { name: string; teamId: string };

/** By id of the host. */
export async function readReplicaRows({ tx, hosts }: ComposeScene): Promise<ReadonlyMap<string, Row[]>> {
  const rows = await tx.$queryRaw(Prisma.sql`
    SELECT r.id, r.host_id AS "hostId", r.slot, r.hash, r.target, r.adopts, v.name AS service, v.stack_id AS "stackId", k.name AS stack,
      k.team_id AS "teamId", t.namespace
    FROM stack_replicas r JOIN stack_services v ON v.id = r.service_id JOIN stacks k ON k.id = v.stack_id JOIN teams t ON t.id = k.team_id
    WHERE r.host_id = ANY(${hosts.map(({ id }) => id)}) AND r.state IN ('run', 'drain') ORDER BY r.id`);
  return Map.groupBy(replicaRows.parse(rows), ({ hostId }) => hostId);
}

/** Names of the networks over several hosts, of the teams that have replicas here. */
async function readShared({ tx, team, once }: ComposeScene): Promise<SharedNetwork[]> {
  const rows = [...(await once(readReplicaRows)).values()].flat();
  const teams = new Set(rows.map(({ teamId }) => teamId));
  // Of its own team everything is read anyhow.
  const own = teams.delete(team.id) ? (await once(readTeamOverlays)).networks : [];
  const where = { teamId: { in: [...teams] } };
  const others = teams.size === 0 ? [] : await tx.overlayNetwork.findMany({ where, select: { name: true, teamId: true } });
  return [...own, ...others];
}

/** The replicas that shall be on a host. */
export const replicaComposer: HostComposer = {
  kind: REPLICA_KIND,
  async compose({ host, once }) {
    const projects = await once(openProjects);
    const bodies = new Map<string, ResourceBody>();
    const rows = (await once(readReplicaRows)).get(host.id) ?? [];
    const overlays = rows.length === 0 ? [] : await once(readShared);
    for (const row of rows) {
      const project = await projects.find(row.stackId, row.target.revision);
      const isReadable = !(project instanceof FlotillaError);
      bodies.set(row.id, isReadable ? composeReplica(row, { project, shared: namesOf(overlays, row) }) : kept(project));
    }
    return bodies;
  },
};

/** The contents of what its replicas mount. */
export const stackFileComposer: HostComposer = {
  kind: STACK_FILE_KIND,
  async compose({ services, tx, host, once }) {
    const rows = (await once(readReplicaRows)).get(host.id) ?? [];
    const ids = new Set(rows.flatMap(({ target }) => Object.values(target.files)));
    if (ids.size === 0) return new Map<string, ResourceBody>();
    const versions = await tx.stackFileVersion.findMany({ where: { id: { in: [...ids] } }, orderBy: { id: "asc" } });
    return new Map(versions.map((version) => [version.id, openFile(services, version)]));
  },
};

const namesOf = (networks: readonly SharedNetwork[], row: Row): Set<string> =>
  new Set(networks.filter(({ teamId }) => teamId === row.teamId).map(({ name }) => name));

function openFile({ registry }: ServiceContext, { id, sealed }: { id: string; sealed: Uint8Array }): ResourceBody {
  try {
    return { base64: openText(registry.sealKey, sealed, id) };
  } catch (error) {
    return kept(toFlotillaError(error));
  }
}

/** One stack that cannot be read must not stop what is told of the others; and its containers run on. */
function kept({ message }: FlotillaError): ResourceBody {
  return { kept: message.slice(0, MAX_REPLICA_TEXT) };
}

type ReplicaScene = { project: Project; /** Names of the networks over several hosts. */ shared: ReadonlySet<string> };

/** One replica. Pure; equal rows give equal bytes. */
export function composeReplica(row: Row, { project, shared }: ReplicaScene): ReplicaState {
  const { id, slot, hash, target, stack, service: name } = row;
  const service = project.services[name];
  if (service === undefined) throw new FlotillaError("not_found", `revision ${target.revision} of stack ${stack} has no service ${name}`);
  const body = toContainerBody(project, name);
  const number = /^\d+$/.test(slot) ? slot : "1";
  const labels = {
    ...service.labels,
    "com.docker.compose.project": stack,
    "com.docker.compose.service": name,
    "com.docker.compose.container-number": number,
    "com.docker.compose.oneoff": "False",
    "com.docker.compose.config-hash": hash,
  };
  const loss = hostLossPolicy(name, service);
  return {
    id,
    // Its team's, whosever host it is on.
    namespace: row.namespace,
    // A new version runs beside the old one for a while: the id tells them apart.
    name: `${stack}-${name}-${number}-${id.replaceAll("-", "").slice(-8)}`.slice(-200),
    stack,
    service: name,
    slot,
    revision: hash,
    kind: isJob(service) ? "job" : "service",
    image: service.image,
    pullPolicy: service.pullPolicy === "always" || service.pullPolicy === "never" ? service.pullPolicy : "missing",
    body: { ...body, Labels: labels },
    networks: service.networkMode === undefined ? networksOf(project, { name, service, shared }) : [],
    files: filesOf(project, service, target),
    restart: restartPolicy(service),
    stopsAfterMs: loss.action === "stop" ? loss.afterMs : null,
    adopts: row.adopts,
  };
}

type Connected = { name: string; service: Service; shared: ReadonlySet<string> };

/**
 * Names of the service are its virtual address's (network services), so replicas have no aliases but their own name. In a network of one host,
 * which has no such addresses, they are the replicas' own; Docker's `bridge` has no names.
 */
function networksOf(project: Project, { name: service, service: { networks }, shared }: Connected): ReplicaState["networks"] {
  const ordered = Object.entries(networks).toSorted(([, a], [, b]) => b.priority - a.priority);
  return ordered.map(([key, { aliases }]) => {
    const { name = key, isExternal = false } = project.networks[key] ?? {};
    const isLocal = isExternal && !shared.has(name) && name !== "bridge";
    return { name, aliases: isLocal ? [...new Set([service, ...aliases])] : [] };
  });
}

function filesOf(project: Project, service: Service, target: ServiceTarget): ReplicaFile[] {
  const kinds = [
    { kind: "secret", references: service.secrets, objects: project.secrets, mode: FILE_MODE },
    { kind: "config", references: service.configs, objects: project.configs, mode: CONFIG_MODE },
  ] as const;
  return kinds.flatMap(({ kind, references, objects, mode }) =>
    references.map((reference) => {
      const key = fileKey(kind, objects[reference.source]?.name ?? reference.source);
      const file = target.files[key];
      if (file === undefined) throw new FlotillaError("not_found", `no such ${key.replace("/", ": ")}`);
      const number = (text: string | undefined): number => (text === undefined ? 0 : Number(text));
      return { file, kind, target: reference.target, uid: number(reference.uid), gid: number(reference.gid), mode: reference.mode ?? mode };
    }),
  );
}
