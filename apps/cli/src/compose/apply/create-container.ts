import { Readable } from "node:stream";
import type { Service } from "@flotilla/compose";
import { FlotillaError, toFlotillaError } from "@flotilla/core";
import { z } from "zod";
import { isNewer, segment } from "../engine/client.ts";
import type { BodyInput } from "../plan/body-input.ts";
import { containerBody } from "../plan/container-body.ts";
import { laterEndpoints } from "../plan/networking.ts";
import type { ApplyContext } from "./context.ts";
import { type FileContents, filesOf } from "./file-contents.ts";

const Created = z.object({ Id: z.string(), Warnings: z.array(z.string()).nullish() });

/** An engine of this API takes all networks of a container with its creation. */
const NETWORKS_AT_CREATE = "1.44";

export type CreateRequest = Omit<BodyInput, "boundFiles" | "takesNetworks" | "workingDir" | "files" | "version" | "project"> & {
  contents: FileContents;
};

/** Makes a container with its networks, secrets and configs; it is not started. What fails half-way is taken back. @returns its id. */
export async function createContainer(context: ApplyContext, request: CreateRequest): Promise<string> {
  const { engine, loaded, version } = context;
  const input: BodyInput = {
    ...request,
    project: loaded.project,
    workingDir: loaded.projectDirectory,
    files: loaded.files,
    version,
    boundFiles: boundFiles(context, request.service),
    takesNetworks: !isNewer(NETWORKS_AT_CREATE, await engine.version()),
  };
  const query = { name: request.containerName, platform: request.service.platform };
  const created = await engine.json(Created, { method: "POST", path: "/containers/create", query, body: containerBody(input) });
  for (const warning of created.Warnings ?? []) context.progress.note(`${request.containerName}: ${warning}`);
  try {
    await finish(context, created.Id, { input, contents: request.contents });
    return created.Id;
  } catch (error) {
    await engine.run({ method: "DELETE", path: `/containers/${created.Id}`, query: { force: true, v: true } }).catch(() => undefined);
    throw error;
  }
}

async function finish(context: ApplyContext, id: string, { input, contents }: { input: BodyInput; contents: FileContents }): Promise<void> {
  const { engine } = context;
  for (const [network, EndpointConfig] of laterEndpoints(input))
    await engine.run({ method: "POST", path: `/networks/${segment(network)}/connect`, body: { Container: id, EndpointConfig } });
  const files = filesOf(input.service, contents).filter(({ target }) => !input.boundFiles.has(target));
  if (files.length === 0) return;
  const { tarOf } = await import("./tar-files.ts");
  const body = Readable.from(tarOf(files));
  await engine.run({
    method: "PUT",
    path: `/containers/${id}/archive`,
    query: { path: "/", copyUIDGID: true },
    body,
    headers: { "content-type": "application/x-tar" },
  });
}

/**
 * Secrets and configs are copied into a container, so that they work on a host elsewhere too and have the owner and mode that the
 * file asks for. Nothing can be copied into a read-only container: there, files of this machine are bound.
 */
function boundFiles({ engine, loaded }: ApplyContext, service: Service): Map<string, string> {
  const result = new Map<string, string>();
  if (!service.isReadOnly || !engine.endpoint.isLocal) return result;
  for (const [kind, references] of [
    ["secrets", service.secrets],
    ["configs", service.configs],
  ] as const) {
    for (const { source, target } of references) {
      const file = loaded.project[kind][source]?.file;
      if (file !== undefined) result.set(target, file);
    }
  }
  return result;
}

/** The engine's error with the service and the line of the file that it is about. */
export async function located<T>(
  context: ApplyContext,
  { serviceName, service }: Pick<BodyInput, "serviceName" | "service">,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { code, message, details } = toFlotillaError(error);
    const at = service.volumes.findIndex((mount) => mount.type === "bind" && message.includes(mount.source));
    const path = at === -1 ? `services.${serviceName}` : `services.${serviceName}.volumes.${at}`;
    const position = context.loaded.positionOf(path);
    const where = position === undefined ? "" : `${position.file}:${position.line}:${position.column}: `;
    throw new FlotillaError(code, `${where}${path}: ${message}`, { cause: error, details });
  }
}
