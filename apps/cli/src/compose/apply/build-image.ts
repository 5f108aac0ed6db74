import type { Build } from "@flotilla/compose";
import { FlotillaError } from "@flotilla/core";
import type { ApplyContext } from "./context.ts";
import { packContext } from "./build-context.ts";
import { findImage } from "./find-image.ts";
import { readProgress } from "./pull-image.ts";
import { registryConfig } from "./registry-auth.ts";

export type BuildRequest = {
  image: string;
  build: Build;
  platform?: string | undefined;
  quiet: boolean;
  noCache?: boolean;
  pull?: boolean;
  args?: Readonly<Record<string, string | null>>;
};

const REMOTE = /^(https?:\/\/|git:\/\/|ssh:\/\/|git@|github\.com\/)/;

/** Builds an image as `docker build` does without BuildKit. @returns its id. @throws the engine's words with the image's name. */
export async function buildImage(context: ApplyContext, request: BuildRequest): Promise<string> {
  const { engine, progress, environment, signal } = context;
  const { image, build } = request;
  progress.set({ kind: "Image", name: image, status: "Building" });
  const isRemote = REMOTE.test(build.context);
  const packed = isRemote ? undefined : packContext(build.context, { dockerfile: build.dockerfile, inline: build.dockerfileInline });
  const headers = { "content-type": "application/x-tar", "x-registry-config": registryConfig(environment) };
  let id: string | undefined;
  let output = "";
  try {
    const query = queryOf(request, { dockerfile: packed?.dockerfile ?? build.dockerfile, remote: isRemote ? build.context : undefined });
    const body = await engine.stream({ method: "POST", path: "/build", query, headers, body: packed?.stream, signal });
    for await (const line of readProgress(body)) {
      id = line.aux?.ID ?? id;
      if (line.stream === undefined) continue;
      output = `${output}${line.stream}`.slice(-4000);
      if (!request.quiet) progress.raw(line.stream);
    }
  } catch (error) {
    progress.set({ kind: "Image", name: image, status: "Error" });
    if (request.quiet && output !== "") progress.note(output.trimEnd());
    throw error;
  }
  progress.set({ kind: "Image", name: image, status: "Built" });
  id ??= (await findImage(context, image))?.Id;
  if (id === undefined) throw new FlotillaError("internal", `build ${image}: the engine told no image`);
  return id;
}

function queryOf(
  { image, build, platform, ...request }: BuildRequest,
  { dockerfile, remote }: { dockerfile: string; remote: string | undefined },
) {
  const args = { ...build.args, ...request.args };
  return {
    t: [image, ...build.tags],
    dockerfile,
    remote,
    target: build.target,
    buildargs: JSON.stringify(args),
    labels: JSON.stringify(build.labels),
    cachefrom: JSON.stringify(build.cacheFrom),
    networkmode: build.network,
    extrahosts: build.extraHosts.map((entry) => entry.replace(/^([^=:]+)=/, "$1:")).join(",") || undefined,
    shmsize: build.shmSizeBytes,
    ulimits: JSON.stringify(Object.entries(build.ulimits).map(([Name, { soft, hard }]) => ({ Name, Soft: soft, Hard: hard }))),
    platform: build.platforms[0] ?? platform,
    nocache: build.noCache || request.noCache === true,
    pull: build.pull || request.pull === true ? "1" : undefined,
    rm: true,
  };
}
