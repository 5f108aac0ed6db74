import { randomBytes } from "node:crypto";
import { PublishedPort, type LoadedProject, type Service } from "@flotilla/compose";
import { FlotillaError } from "@flotilla/core";
import { applyUp } from "../apply/apply-up.ts";
import { createContainer, located } from "../apply/create-container.ts";
import { readFileContents } from "../apply/file-contents.ts";
import { ensureImages } from "../apply/images.ts";
import { expectExit } from "../apply/wait.ts";
import { observeProject } from "../engine/observe.ts";
import { configHash } from "../plan/config-hash.ts";
import { planUp } from "../plan/plan-up.ts";
import type { Session } from "../session.ts";
import { interact } from "../view/interactive.ts";
import { environmentOf } from "./exec.ts";

export type RunOptions = {
  detach?: boolean;
  rm?: boolean;
  name?: string;
  entrypoint?: string;
  env?: string[];
  user?: string;
  workdir?: string;
  volume?: string[];
  publish?: string[];
  label?: string[];
  servicePorts?: boolean;
  useAliases?: boolean;
  deps?: boolean;
  build?: boolean;
  pull?: string;
  quietPull?: boolean;
  tty?: boolean;
  interactive?: boolean;
};

/** Runs a command in a new container of a service, beside those of `up`, after what the service depends on. @returns its exit code. */
export async function run(session: Session, [name, ...command]: readonly string[], options: RunOptions): Promise<number> {
  if (name === undefined) throw new FlotillaError("invalid", "run needs a service");
  const loaded = await session.load([name]);
  const declared = loaded.project.services[name];
  if (declared === undefined) throw new FlotillaError("not_found", `no such service: ${name}`);
  const tty = options.tty !== false && options.detach !== true && process.stdin.isTTY && process.stdout.isTTY;
  const service = adapt(declared, { options, command, session, tty });
  const id = await prepare(session, { loaded, name, service, options });
  session.progress.end();
  const { engine } = session;
  if (options.detach === true) {
    await engine.run({ method: "POST", path: `/containers/${id}/start` });
    session.result(id, { id });
    return 0;
  }
  const interactive = options.interactive !== false;
  // Attached before the start, so that no byte is missed; waited for too, because `--rm` leaves nothing to ask.
  const connection = await engine.hijack({
    method: "POST",
    path: `/containers/${id}/attach`,
    query: { stream: true, stdin: interactive, stdout: true, stderr: true },
  });
  const over = new AbortController();
  const removeSignals = forwardSignals(session, id);
  try {
    const { code } = await expectExit(engine, id, over.signal);
    await engine.run({ method: "POST", path: `/containers/${id}/start` });
    await interact(connection, {
      tty,
      interactive,
      resize: (size) => engine.run({ method: "POST", path: `/containers/${id}/resize`, query: size }),
    });
    return await code;
  } finally {
    removeSignals();
    // Of a container that could not be started both would stay open, and this program with them.
    over.abort();
    connection.socket.destroy();
    if (options.rm === true)
      await engine.run({ method: "DELETE", path: `/containers/${id}`, query: { force: true, v: true } }).catch(() => undefined);
  }
}

type Adapting = { options: RunOptions; command: readonly string[]; session: Session; tty: boolean };

/** The service as this one container shall be: no fixed name, no ports unless asked for, what the command line says on top. */
function adapt(service: Service, { options, command, session, tty }: Adapting): Service {
  const environment = Object.fromEntries(
    environmentOf(options.env ?? [], session.environment).map((entry) => [
      entry.slice(0, entry.indexOf("=")),
      entry.slice(entry.indexOf("=") + 1),
    ]),
  );
  const labels = Object.fromEntries(
    (options.label ?? []).map((entry) => [entry.split("=")[0] ?? "", entry.includes("=") ? entry.slice(entry.indexOf("=") + 1) : ""]),
  );
  const volumes = (options.volume ?? []).map((entry) => parseVolume(entry, session.workingDir));
  const { containerName: _, ...rest } = service;
  return {
    ...rest,
    ...(command.length > 0 ? { command: [...command] } : {}),
    // With another entry point the service's command makes no sense, as in `docker run`.
    ...(options.entrypoint === undefined
      ? {}
      : { entrypoint: options.entrypoint === "" ? [] : [options.entrypoint], command: [...command] }),
    ...(options.user === undefined ? {} : { user: options.user }),
    ...(options.workdir === undefined ? {} : { workingDir: options.workdir }),
    environment: { ...service.environment, ...environment },
    labels: { ...service.labels, ...labels },
    volumes: [...service.volumes.filter(({ target }) => !volumes.some((mount) => mount.target === target)), ...volumes],
    ports: [...(options.servicePorts === true ? service.ports : []), ...(options.publish ?? []).map(parsePublish)],
    tty,
    stdinOpen: options.detach !== true && options.interactive !== false,
  };
}

function parseVolume(entry: string, workingDir: string): Service["volumes"][number] {
  const [source = "", target, mode = ""] = entry.split(":");
  if (target === undefined || !target.startsWith("/"))
    throw new FlotillaError("invalid", `invalid --volume "${entry}": expected SOURCE:TARGET[:ro]`);
  const isReadOnly = mode.split(",").includes("ro");
  if (!/^[./~]/.test(source)) throw new FlotillaError("invalid", `invalid --volume "${entry}": the source must be a path`);
  const path = process.getBuiltinModule("node:path").resolve(workingDir, source);
  return { type: "bind", source: path, target, isReadOnly, createHostPath: true };
}

function parsePublish(entry: string): PublishedPort {
  const [, hostIp, published, target, protocol] = /^(?:(?:([\d.]+):)?(\d{0,5}):)?(\d{1,5})(?:\/(tcp|udp|sctp))?$/.exec(entry) ?? [];
  const parsed = PublishedPort.safeParse({
    target: Number(target),
    ...(published === undefined || published === "" ? {} : { published: Number(published) }),
    ...(hostIp === undefined ? {} : { hostIp }),
    ...(protocol === undefined ? {} : { protocol }),
  });
  if (target === undefined || !parsed.success)
    throw new FlotillaError("invalid", `invalid --publish "${entry}": expected [[IP:]PUBLISHED:]TARGET[/PROTOCOL]`);
  return parsed.data;
}

type Preparing = { loaded: LoadedProject; name: string; service: Service; options: RunOptions };

/** Dependencies started, image and networks there, the container made. @returns its id. */
async function prepare(session: Session, { loaded, name, service, options }: Preparing): Promise<string> {
  const context = session.apply(loaded);
  const { project } = loaded;
  const contents = await readFileContents(loaded, session.environment);
  const hashes = new Map(Object.entries(project.services).map(([key, value]) => [key, configHash(value, project, contents.digests)]));
  const knownServices = new Set(Object.keys({ ...project.services, ...loaded.disabledServices }));
  const pull = (["always", "missing", "never"] as const).find((known) => known === options.pull);
  const images = { pull, build: options.build === true, noBuild: false, quiet: options.quietPull === true };
  const observed = await observeProject(session.engine, project.name);
  const dependencies = options.deps === false ? [] : Object.keys(service.dependsOn);
  const planOptions = {
    services: dependencies,
    noDeps: false,
    forceRecreate: false,
    noRecreate: true,
    alwaysRecreateDeps: false,
    removeOrphans: false,
    starts: true,
  };
  const full = planUp({ project, observed, options: planOptions, hashes, imageIds: new Map(), knownServices });
  const plan = { ...full, services: dependencies.length === 0 ? [] : full.services };
  const imageIds = await ensureImages(context, [name, ...plan.services.map((entry) => entry.service)], images);
  const wanted = {
    ...plan,
    networks: full.networks.filter(
      (key) => key in service.networks || plan.services.some((entry) => key in (project.services[entry.service]?.networks ?? {})),
    ),
  };
  await applyUp(context, { plan: wanted, contents, imageIds, before: observed.containers, starts: true, renewAnonymousVolumes: false });
  const after = await observeProject(session.engine, project.name);
  const peers = new Map(
    after.containers.filter((container) => !container.isOneOff).map((container) => [container.service, container] as const),
  );
  const request = {
    serviceName: name,
    service,
    containerName: options.name ?? `${project.name}-${name}-run-${randomBytes(6).toString("hex")}`,
    number: 1,
    isOneOff: true,
    usesAliases: options.useAliases,
    configHash: hashes.get(name) ?? "",
    imageId: imageIds.get(name),
    peers,
    inherited: new Map<string, string>(),
    contents,
  };
  return located(context, request, () => createContainer(context, request));
}

/** Ctrl-C without a terminal of its own is for the program in the container. */
function forwardSignals(session: Session, id: string): () => void {
  const handlers = (["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const).map((signal) => {
    const handler = (): void =>
      void session.engine.run({ method: "POST", path: `/containers/${id}/kill`, query: { signal } }).catch(() => undefined);
    process.on(signal, handler);
    return () => process.off(signal, handler);
  });
  return () => {
    for (const remove of handlers) remove();
  };
}
