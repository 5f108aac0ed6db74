import { FlotillaError } from "@flotilla/core";
import { z } from "zod";
import { segment } from "../engine/client.ts";
import { readJsonLines } from "../engine/read-lines.ts";
import type { ApplyContext } from "./context.ts";
import { registryAuth } from "./registry-auth.ts";

const ProgressLine = z.object({
  status: z.string().optional(),
  id: z.string().optional(),
  stream: z.string().optional(),
  error: z.string().optional(),
  errorDetail: z.object({ message: z.string() }).optional(),
  aux: z.object({ ID: z.string().optional() }).optional(),
});
export type ProgressLine = z.output<typeof ProgressLine>;

/** The engine's progress messages. @throws conflict with the engine's words when one is an error. */
export async function* readProgress(body: Parameters<typeof readJsonLines>[0]): AsyncGenerator<ProgressLine> {
  for await (const document of readJsonLines(body)) {
    const line = ProgressLine.safeParse(document);
    if (!line.success) continue;
    const error = line.data.errorDetail?.message ?? line.data.error;
    if (error !== undefined) throw new FlotillaError("conflict", error);
    yield line.data;
  }
}

/** `name[:tag]` or `name@digest` as the two parameters of a pull. */
export function splitReference(image: string): { name: string; tag: string } {
  const at = image.indexOf("@");
  if (at !== -1) return { name: image.slice(0, at), tag: image.slice(at + 1) };
  const colon = image.lastIndexOf(":");
  return colon > image.lastIndexOf("/") ? { name: image.slice(0, colon), tag: image.slice(colon + 1) } : { name: image, tag: "latest" };
}

export async function pullImage(
  context: ApplyContext,
  image: string,
  options: { platform: string | undefined; quiet: boolean },
): Promise<void> {
  const { engine, progress, environment, signal } = context;
  const { name, tag } = splitReference(image);
  const headers = { "x-registry-auth": registryAuth(image, environment) };
  progress.set({ kind: "Image", name: image, status: "Pulling" });
  try {
    const query = { fromImage: name, tag, platform: options.platform };
    const body = await engine.stream({ method: "POST", path: "/images/create", query, headers, signal });
    for await (const line of readProgress(body)) {
      if (!options.quiet && line.id !== undefined && line.status !== undefined)
        progress.set({ kind: "Image", name: image, status: "Pulling", detail: `${line.id} ${line.status}` });
    }
    progress.set({ kind: "Image", name: image, status: "Pulled" });
  } catch (error) {
    progress.set({ kind: "Image", name: image, status: "Error" });
    throw error;
  }
}

export async function pushImage(context: ApplyContext, image: string, quiet: boolean): Promise<void> {
  const { engine, progress, environment, signal } = context;
  const { name, tag } = splitReference(image);
  progress.set({ kind: "Image", name: image, status: "Pushing" });
  try {
    const path = `/images/${name.split("/").map(segment).join("/")}/push`;
    const body = await engine.stream({
      method: "POST",
      path,
      query: { tag },
      headers: { "x-registry-auth": registryAuth(image, environment) },
      signal,
    });
    for await (const line of readProgress(body)) {
      if (!quiet && line.id !== undefined && line.status !== undefined)
        progress.set({ kind: "Image", name: image, status: "Pushing", detail: `${line.id} ${line.status}` });
    }
    progress.set({ kind: "Image", name: image, status: "Pushed" });
  } catch (error) {
    progress.set({ kind: "Image", name: image, status: "Error" });
    throw error;
  }
}
