// What a stack's rows mean: the project of a revision, and what a service's version is made of.
import { createHash } from "node:crypto";
import { Project, type Service } from "@flotilla/compose";
import { FlotillaError } from "@flotilla/core";
import type { StackRevision, Transaction } from "@flotilla/db";
import { z } from "zod";
import { openText, sealText } from "../access/secrets.ts";
import type { ComposeScene, ServiceContext } from "../context.ts";
import { toContainerBody } from "./to-container-body.ts";

/** What a replica is made of: a revision of its stack, and the version of each secret and config, `secret/NAME` → id of the version. */
export const serviceTarget = z.object({ revision: z.int(), hash: z.string(), files: z.record(z.string(), z.string()) });
export type ServiceTarget = z.output<typeof serviceTarget>;

const HASH_LENGTH = 32;

/** The key under which a target names a version of a secret or config. */
export function fileKey(kind: "secret" | "config", name: string): string {
  return `${kind}/${name}`;
}

/** Encrypts a project for its revision's row. */
export function sealProject(services: ServiceContext, revisionId: string, project: Project): Uint8Array<ArrayBuffer> {
  return sealText(services.registry.sealKey, JSON.stringify(project), revisionId);
}

/** @throws conflict when it was written with another secrets file, or by a version of the control plane with another model. */
export function openProject(services: ServiceContext, revision: Pick<StackRevision, "id" | "sealed" | "number">): Project {
  const open = (): Project => Project.parse(JSON.parse(openText(services.registry.sealKey, revision.sealed, revision.id)));
  try {
    return open();
  } catch (error) {
    const cause = error instanceof FlotillaError ? error.message : "this version of the control plane does not know its form";
    throw new FlotillaError("conflict", `revision ${revision.number} cannot be read: ${cause}`, { cause: error });
  }
}

/** For one composition. */
export const openProjects = ({ services, tx }: ComposeScene): Promise<Projects> => Promise.resolve(new Projects(services, tx));

/** So many projects are kept open: revisions never change, and each round and each composition needs them. */
const MAX_OPEN = 64;
const opened = new WeakMap<ServiceContext, Map<string, Project>>();

/** Reads projects of revisions, each once. */
export class Projects {
  readonly #services: ServiceContext;
  readonly #tx: Transaction;
  readonly #known = new Map<string, Project>();
  /** By id of the revision. */
  readonly #opened: Map<string, Project>;

  constructor(services: ServiceContext, tx: Transaction) {
    this.#services = services;
    this.#tx = tx;
    this.#opened = opened.get(services) ?? new Map<string, Project>();
    opened.set(services, this.#opened);
  }

  /** The project, or why it cannot be read: of somebody else's stack that is no reason to stop. What the database throws is thrown. */
  async find(stackId: string, number: number): Promise<Project | FlotillaError> {
    try {
      return await this.get(stackId, number);
    } catch (error) {
      if (error instanceof FlotillaError) return error;
      throw error;
    }
  }

  /** Shared: nobody changes it. @throws not_found for a revision that is gone; conflict for one that cannot be read. */
  async get(stackId: string, number: number): Promise<Project> {
    const key = `${stackId}/${number}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    // Whether it is there is asked each time, what it says only once.
    const revision = await this.#tx.stackRevision.findUnique({ where: { stackId_number: { stackId, number } }, select: { id: true } });
    if (revision === null) throw new FlotillaError("not_found", `no such revision: ${number}`);
    const project = this.#opened.get(revision.id) ?? (await this.#open(revision.id));
    this.#known.set(key, project);
    return project;
  }

  async #open(id: string): Promise<Project> {
    const revision = await this.#tx.stackRevision.findUniqueOrThrow({ where: { id }, select: { id: true, number: true, sealed: true } });
    const project = freeze(openProject(this.#services, revision));
    for (const oldest of this.#opened.keys()) {
      if (this.#opened.size < MAX_OPEN) break;
      this.#opened.delete(oldest);
    }
    this.#opened.set(id, project);
    return project;
  }
}

function freeze<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  for (const part of Object.values(value)) freeze(part);
  return Object.freeze(value);
}

/** The secrets and configs that a service mounts, as `secret/NAME` with the names that the team has for them. */
export function filesOf(project: Project, service: Service): string[] {
  const secrets = service.secrets.map(({ source }) => fileKey("secret", project.secrets[source]?.name ?? source));
  const configs = service.configs.map(({ source }) => fileKey("config", project.configs[source]?.name ?? source));
  return [...new Set([...secrets, ...configs])].toSorted();
}

/** Hash of everything that makes another container of a replica. Numbers of replicas, policies and placement do not. */
export function hashService(project: Project, name: string, versions: Readonly<Record<string, string>>): string {
  const service = project.services[name];
  if (service === undefined) throw new FlotillaError("not_found", `no such service: ${name}`);
  const { image, pullPolicy, secrets, configs, networks } = service;
  const container = {
    image,
    pullPolicy,
    secrets,
    configs,
    body: toContainerBody(project, name),
    networks: Object.entries(networks).map(([key, { aliases }]) => [project.networks[key]?.name ?? key, aliases]),
    versions: filesOf(project, service).map((key) => [key, versions[key] ?? ""]),
  };
  return createHash("sha256").update(JSON.stringify(container)).digest("hex").slice(0, HASH_LENGTH);
}
