import { runSpec } from "@flotilla/services";
import { z } from "zod";
import { dockers, nothing, perHost, route, time } from "../route.ts";

const sample = z.object({
  time,
  cpuPercent: z.number(),
  memoryBytes: z.number(),
  memoryLimitBytes: z.number(),
  netRxBytes: z.number(),
  netTxBytes: z.number(),
  blockReadBytes: z.number(),
  blockWriteBytes: z.number(),
  pids: z.number(),
});
const made = z.object({ id: z.string(), warnings: z.array(z.string()) });
const onHost = (item: { host: { id: string } }, id: string): string => `${item.host.id}/${id}`;

const CONTAINERS = [
  route("containers.list", {
    method: "GET",
    path: "/containers",
    summary: "Containers of one host or of all, as Docker lists them",
    output: perHost({ Id: z.string(), Names: z.array(z.string()).nullable(), Image: z.string(), State: z.string(), Status: z.string() }),
    list: (item) => onHost(item, item.Id),
  }),
  route("containers.inspect", {
    method: "GET",
    path: "/hosts/{host}/containers/{id}",
    summary: "A container, as Docker inspects it",
    output: dockers({ Id: z.string(), Name: z.string() }),
  }),
  route("containers.top", {
    method: "GET",
    path: "/hosts/{host}/containers/{id}/top",
    summary: "Processes of a container",
    output: z.object({ titles: z.array(z.string()), processes: z.array(z.array(z.string())) }),
  }),
  route("containers.stats", {
    method: "GET",
    path: "/hosts/{host}/containers/{id}/stats",
    summary: "One sample of what a container uses",
    output: sample,
  }),
  route("containers.action", {
    method: "POST",
    path: "/hosts/{host}/containers/{id}/actions",
    summary: "Start, stop, restart, kill, pause or unpause",
    output: nothing,
  }),
  route("containers.remove", {
    method: "DELETE",
    path: "/hosts/{host}/containers/{id}",
    summary: "Remove a container",
    output: nothing,
  }),
  route("containers.rename", {
    method: "PATCH",
    path: "/hosts/{host}/containers/{id}",
    summary: "Give a container another name",
    output: nothing,
  }),
  route("containers.run", {
    method: "POST",
    path: "/hosts/{host}/containers",
    summary: "Make a container and start it",
    output: made,
    isCreation: true,
  }),
  route("containers.parseRun", {
    method: "POST",
    path: "/containers/parse-run",
    summary: "What a `docker run` line means, as a spec",
    output: z.object({ spec: runSpec, warnings: z.array(z.string()) }),
  }),
] as const;

const IMAGES = [
  route("images.list", {
    method: "GET",
    path: "/images",
    summary: "Images of one host or of all, as Docker lists them",
    output: perHost({ Id: z.string(), RepoTags: z.array(z.string()), Created: z.number(), Size: z.number() }),
    list: (item) => onHost(item, item.Id),
  }),
  route("images.inspect", {
    method: "GET",
    path: "/hosts/{host}/images/{id}",
    summary: "An image, as Docker inspects it",
    output: dockers({ Id: z.string(), Size: z.number() }),
  }),
  route("images.history", {
    method: "GET",
    path: "/hosts/{host}/images/{id}/history",
    summary: "Instructions of an image, newest first",
    output: z.array(z.looseObject({})),
  }),
  route("images.layers", {
    method: "GET",
    path: "/hosts/{host}/images/{id}/layers",
    summary: "What each layer adds, changes and wastes",
    output: z.object({
      id: z.string(),
      sizeBytes: z.number(),
      wastedBytes: z.number(),
      layers: z.array(z.looseObject({ diffId: z.string(), instruction: z.string(), sizeBytes: z.number() })),
    }),
  }),
  route("images.remove", {
    method: "DELETE",
    path: "/hosts/{host}/images/{id}",
    summary: "Remove a name of an image, and the image with its last one",
    output: z.array(z.looseObject({})),
  }),
  route("images.tag", { method: "POST", path: "/hosts/{host}/images/{id}/tags", summary: "Give an image one more name", output: nothing }),
] as const;

const VOLUMES = [
  route("volumes.list", {
    method: "GET",
    path: "/volumes",
    summary: "Volumes of one host or of all, as Docker lists them",
    output: perHost({ Name: z.string(), Driver: z.string(), Mountpoint: z.string() }),
    list: (item) => onHost(item, item.Name),
  }),
  route("volumes.inspect", {
    method: "GET",
    path: "/hosts/{host}/volumes/{name}",
    summary: "A volume, as Docker inspects it",
    output: dockers({ Name: z.string(), Driver: z.string() }),
  }),
  route("volumes.create", {
    method: "POST",
    path: "/hosts/{host}/volumes",
    summary: "Make a volume",
    output: dockers({ Name: z.string(), Driver: z.string() }),
    isCreation: true,
  }),
  route("volumes.remove", { method: "DELETE", path: "/hosts/{host}/volumes/{name}", summary: "Remove a volume", output: nothing }),
] as const;

export const ENGINE_ROUTES = [...CONTAINERS, ...IMAGES, ...VOLUMES] as const;
