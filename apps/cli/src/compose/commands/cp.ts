import { lstatSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { Readable } from "node:stream";
import { FlotillaError, isFlotillaError } from "@flotilla/core";
import { z } from "zod";
import { numberOf } from "../engine/observe.ts";
import type { Session } from "../session.ts";
import { packPath, unpackInto } from "../apply/archive.ts";
import { selectContainers } from "./select.ts";

export type CpOptions = { index?: number; archive?: boolean; followLink?: boolean };

const PathStat = z.object({ name: z.string(), mode: z.number() });
const DIRECTORY_BIT = 2 ** 31;

type Side = { service: string | undefined; path: string };

/** Copies between a service's containers and this machine, with the rules of `docker cp`. `-` is an archive on our standard streams. */
export async function cp(session: Session, [from, to]: [string, string], options: CpOptions): Promise<number> {
  const [source, target] = [parseSide(from), parseSide(to)];
  if ((source.service === undefined) === (target.service === undefined))
    throw new FlotillaError("invalid", "one of source and target must be SERVICE:PATH, the other a path of this machine");
  const service = source.service ?? target.service ?? "";
  const { rows } = await selectContainers(session, [service]);
  const wanted = options.index === undefined ? rows : rows.filter((row) => numberOf(row) === options.index);
  const [first] = wanted;
  if (first === undefined) throw new FlotillaError("not_found", `no container found for service "${service}"`);
  if (source.service !== undefined) await copyOut(session, first.Id, { source: source.path, target: target.path });
  // Into a service means into each of its containers.
  else for (const row of wanted) await copyIn(session, row.Id, { source: source.path, target: target.path, options });
  return 0;
}

function parseSide(text: string): Side {
  const at = text.indexOf(":");
  if (at <= 0 || /^[./]/.test(text) || text.slice(0, at).includes("/")) return { service: undefined, path: text };
  return { service: text.slice(0, at), path: text.slice(at + 1) };
}

type Copy = { source: string; target: string };

async function copyOut({ engine, stdout, workingDir }: Session, id: string, { source, target }: Copy): Promise<void> {
  const body = await engine.stream({ method: "GET", path: `/containers/${id}/archive`, query: { path: source } });
  if (target === "-") {
    for await (const chunk of body) (stdout as NodeJS.WriteStream).write(chunk as Buffer);
    return;
  }
  const path = resolve(workingDir, target);
  const isDirectory = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  if (!isDirectory && target.endsWith("/")) throw new FlotillaError("not_found", `no such directory: ${target}`);
  if (!isDirectory && statSync(dirname(path), { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new FlotillaError("not_found", `no such directory: ${dirname(path)}`);
  const contentsOnly = /(^|\/)\.$/.test(source) && isDirectory;
  await unpackInto(body, { dir: isDirectory ? path : dirname(path), rename: contentsOnly ? "" : isDirectory ? undefined : basename(path) });
}

async function copyIn(session: Session, id: string, { source, target, options }: Copy & { options: CpOptions }): Promise<void> {
  const { engine } = session;
  const at = await statInside(session, id, target);
  const isDirectory = at !== undefined && at.mode >= DIRECTORY_BIT;
  const query = { path: isDirectory ? target : dirname(target), noOverwriteDirNonDir: true, copyUIDGID: options.archive === true };
  const headers = { "content-type": "application/x-tar" };
  const call = { method: "PUT", path: `/containers/${id}/archive`, query, headers } as const;
  if (source === "-") return void (await engine.run({ ...call, body: process.stdin }));
  const path = resolve(session.workingDir, source);
  const stat = options.followLink === true ? statSync(path, { throwIfNoEntry: false }) : lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) throw new FlotillaError("not_found", `no such file or directory: ${source}`);
  if (!isDirectory && target.endsWith("/") && !stat.isDirectory())
    throw new FlotillaError("not_found", `no such directory in the container: ${target}`);
  const contentsOnly = /(^|\/)\.$/.test(source) && stat.isDirectory();
  const name = isDirectory ? (contentsOnly ? "" : basename(path)) : basename(join("/", target));
  await engine.run({ ...call, body: Readable.from(packPath(path, { name, keepsOwner: options.archive === true })) });
}

/** What is at a path in a container; undefined when nothing is. */
async function statInside({ engine }: Session, id: string, path: string): Promise<z.output<typeof PathStat> | undefined> {
  try {
    const response = await engine.stream({ method: "HEAD", path: `/containers/${id}/archive`, query: { path } });
    response.resume();
    const header = response.headers["x-docker-container-path-stat"];
    const parsed = PathStat.safeParse(JSON.parse(Buffer.from(String(header), "base64").toString("utf8")));
    return parsed.success ? parsed.data : undefined;
  } catch (error) {
    if (isFlotillaError(error, "not_found")) return undefined;
    throw error;
  }
}
