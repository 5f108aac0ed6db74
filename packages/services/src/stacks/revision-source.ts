// The files of a stack's revision as somebody wrote them. People write passwords there: the database gets them encrypted.
import { Prisma, type StackRevision } from "@flotilla/db";
import { z } from "zod";
import { openText, sealText } from "../access/secrets.ts";
import type { ServiceContext } from "../context.ts";

const sourceFiles = z.record(z.string(), z.string());
type SourceRow = Pick<StackRevision, "id" | "source" | "sealedSource">;

/** Encrypts files, by path, for the row of a revision. */
export function sealSource(services: ServiceContext, revisionId: string, files: Readonly<Record<string, string>>): Uint8Array<ArrayBuffer> {
  return sealText(services.registry.sealKey, JSON.stringify(files), contextOf(revisionId));
}

/** @throws conflict when it was written with another secrets file. */
export function openSource(services: ServiceContext, { id, source, sealedSource }: SourceRow): Record<string, string> {
  if (sealedSource === null) return sourceFiles.catch({}).parse(source);
  return sourceFiles.parse(JSON.parse(openText(services.registry.sealKey, sealedSource, contextOf(id))));
}

/** Encrypts the files of revisions that were made before files were; done again it does nothing. For the start of a control plane. */
export async function sealOldSources(services: ServiceContext): Promise<void> {
  const { stackRevision } = services.prisma;
  for (;;) {
    const row = await stackRevision.findFirst({ where: { sealedSource: null }, select: { id: true, source: true, sealedSource: true } });
    if (row === null) return;
    const sealedSource = sealSource(services, row.id, openSource(services, row));
    await stackRevision.updateMany({ where: { id: row.id, sealedSource: null }, data: { sealedSource, source: Prisma.DbNull } });
  }
}

/** Another one than the project's, which is sealed for the same row. */
function contextOf(revisionId: string): string {
  return `${revisionId} source`;
}
