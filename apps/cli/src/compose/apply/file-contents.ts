import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { FileObject, FileReference, LoadedProject, Service } from "@flotilla/compose";
import { FlotillaError } from "@flotilla/core";

/** As Docker bounds them: they are passwords and settings, not data. */
const MAX_BYTES = 1024 * 1024;

export type FileContents = {
  /** By `secret/<key>` and `config/<key>`. */
  bytes: ReadonlyMap<string, Buffer>;
  digests: ReadonlyMap<string, string>;
};

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads the secrets and configs that the project's services use. @throws not_found, invalid, too_large, with the secret's name. */
export async function readFileContents({ project }: LoadedProject, environment: Environment): Promise<FileContents> {
  const bytes = new Map<string, Buffer>();
  const services = Object.values(project.services);
  for (const kind of ["secret", "config"] as const) {
    const used = new Set(services.flatMap((service) => service[`${kind}s`].map(({ source }) => source)));
    for (const key of used) {
      const object = project[`${kind}s`][key];
      if (object !== undefined) bytes.set(`${kind}/${key}`, await contentOf(`${kind} ${key}`, object, environment));
    }
  }
  const digests = new Map([...bytes].map(([key, content]) => [key, createHash("sha256").update(content).digest("hex")]));
  return { bytes, digests };
}

async function contentOf(name: string, object: FileObject, environment: Environment): Promise<Buffer> {
  if (object.isExternal) throw new FlotillaError("invalid", `${name}: external ones belong to stacks; one host has none`);
  if (object.content !== undefined) return Buffer.from(object.content);
  if (object.environment !== undefined) {
    const value = environment[object.environment];
    if (value === undefined) throw new FlotillaError("invalid", `${name}: environment variable "${object.environment}" is not set`);
    return Buffer.from(value);
  }
  try {
    const content = await readFile(object.file ?? "");
    if (content.length > MAX_BYTES) throw new FlotillaError("too_large", `${name}: ${object.file} is larger than ${MAX_BYTES} bytes`);
    return content;
  } catch (error) {
    if (error instanceof FlotillaError) throw error;
    if (error instanceof Error && "code" in error && error.code === "ENOENT")
      throw new FlotillaError("not_found", `${name}: file ${object.file} not found`, { cause: error });
    throw new FlotillaError("not_found", `${name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

export type FileToCopy = { target: string; content: Buffer; uid: number; gid: number; mode: number };

/** The files of one service as they shall be in its containers. Modes are Docker's defaults: readable by all. */
export function filesOf(service: Service, contents: FileContents): FileToCopy[] {
  const toFile = (kind: "secret" | "config", { source, target, uid, gid, mode = 0o444 }: FileReference): FileToCopy => ({
    target,
    content: contents.bytes.get(`${kind}/${source}`) ?? Buffer.alloc(0),
    uid: numeric(uid, `${kind} ${source}: uid`),
    gid: numeric(gid, `${kind} ${source}: gid`),
    mode,
  });
  return [
    ...service.secrets.map((reference) => toFile("secret", reference)),
    ...service.configs.map((reference) => toFile("config", reference)),
  ];
}

function numeric(text: string | undefined, what: string): number {
  if (text === undefined) return 0;
  if (!/^\d{1,9}$/.test(text)) throw new FlotillaError("invalid", `${what} must be a number, not ${text}`);
  return Number(text);
}
