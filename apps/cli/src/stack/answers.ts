// What the control plane answers to `flotilla stack`. Only what is shown is named.
import { z } from "zod";

const plannedReplica = z.object({
  slot: z.string(),
  host: z.string().nullable(),
  fromHost: z.string().nullable(),
  act: z.string(),
  because: z.string(),
});
export const stackPlan = z.object({
  services: z.array(z.object({ name: z.string(), change: z.string(), reasons: z.array(z.string()), replicas: z.array(plannedReplica) })),
  networks: z.array(z.string()),
  notes: z.array(z.string()),
  basis: z.looseObject({ generation: z.int() }),
});
export type StackPlan = z.output<typeof stackPlan>;

export const adoptionPlan = z.object({
  services: z.array(z.object({ name: z.string(), replicas: z.array(plannedReplica) })),
  left: z.array(z.object({ because: z.string() })),
  networks: z.array(z.string()),
  volumes: z.array(z.string()),
  variables: z.array(z.string()),
  notes: z.array(z.string()),
  source: z.string(),
  basis: z.string(),
});
export type AdoptionPlan = z.output<typeof adoptionPlan>;
export const outsideProjects = z.object({
  items: z.array(
    z.object({
      project: z.string(),
      host: z.object({ name: z.string() }),
      running: z.int(),
      containers: z.int(),
      services: z.array(z.object({ name: z.string() })),
    }),
  ),
  errors: z.array(z.object({ host: z.object({ name: z.string() }), message: z.string() })),
});

export const deployed = z.object({ deploymentId: z.string(), revision: z.int() });

export const deploymentDetail = z.object({
  id: z.string(),
  stack: z.string(),
  outcome: z.string(),
  message: z.string(),
  steps: z.array(z.object({ id: z.string(), time: z.string(), service: z.string(), level: z.string(), text: z.string() })),
});

export type DeploymentDetail = z.output<typeof deploymentDetail>;

const replica = z.object({
  id: z.string(),
  slot: z.string(),
  host: z.object({ name: z.string() }),
  state: z.string(),
  revision: z.int(),
  phase: z.string(),
  containerId: z.string().nullable(),
  restarts: z.int(),
  reason: z.string(),
  progress: z.string(),
});
const service = z.object({
  name: z.string(),
  image: z.string(),
  mode: z.string(),
  state: z.string(),
  message: z.string(),
  reasons: z.array(z.looseObject({ code: z.string() })),
  revision: z.int(),
  wanted: z.int(),
  running: z.int(),
  ports: z.array(z.object({ published: z.int().nullable(), target: z.int(), protocol: z.string() })),
  replicas: z.array(replica),
});
export const stackSummary = z.object({
  name: z.string(),
  revision: z.int(),
  state: z.string(),
  services: z.int(),
  wanted: z.int(),
  running: z.int(),
});
export const stackDetail = stackSummary.extend({ detail: z.array(service) });
export const revisionDetail = z.object({ number: z.int(), source: z.record(z.string(), z.string()) });
