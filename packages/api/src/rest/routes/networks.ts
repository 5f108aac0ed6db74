import { z } from "zod";
import { dockers, hostBrief, nothing, perHost, route, texts, time } from "../route.ts";

const overlay = z.object({
  id: z.string(),
  name: z.string(),
  driver: z.literal("overlay"),
  subnet: z.string(),
  gateway: z.string(),
  subnet6: z.string().nullable(),
  isInternal: z.boolean(),
  isEncrypted: z.boolean(),
  mtuBytes: z.number().nullable(),
  smallestMtuBytes: z.number().nullable(),
  members: z.number(),
  pool: z.object({ leased: z.number(), total: z.number() }),
  problems: z.number(),
  createdAt: time,
});
const member = z.object({
  host: hostBrief,
  containerId: z.string(),
  containerName: z.string(),
  address: z.string(),
  address6: z.string().nullable(),
  aliases: z.array(z.string()),
});
const port = z.object({
  host: hostBrief.nullable(),
  address: z.string(),
  port: z.number(),
  protocol: z.string(),
  containerId: z.string().nullable(),
  container: z.string().nullable(),
  containerPort: z.number(),
  stack: z.string().nullable(),
  service: z.string().nullable(),
  isRunning: z.boolean(),
  reachableAt: z.string().nullable(),
});

export const NETWORK_ROUTES = [
  route("networks.list", {
    method: "GET",
    path: "/networks",
    summary: "Networks of hosts in `items`, those that span hosts in `overlays`",
    output: perHost({ Id: z.string(), Name: z.string(), Driver: z.string(), Scope: z.string() }).extend({ overlays: z.array(overlay) }),
    list: (item) => `${item.host.id}/${item.Id}`,
  }),
  route("networks.mesh", {
    method: "GET",
    path: "/mesh",
    summary: "Which hosts see each other, and how well",
    output: z.object({
      hosts: z.array(z.looseObject({ id: z.string(), name: z.string() })),
      pairs: z.array(z.looseObject({ from: z.string(), to: z.string() })),
      networks: z.array(z.looseObject({ id: z.string(), name: z.string() })),
      mtuProblems: z.array(z.looseObject({ networkId: z.string() })),
    }),
  }),
  route("networks.ports", {
    method: "GET",
    path: "/ports",
    summary: "Published ports",
    output: z.object({ items: z.array(port), errors: z.array(z.object({ host: hostBrief, message: z.string() })) }),
    list: (item) => JSON.stringify([item.host?.id, item.address, item.protocol, item.port, item.containerId, item.containerPort]),
  }),
  route("networks.reach", {
    method: "POST",
    path: "/hosts/{host}/containers/{id}/reach",
    summary: "Whether a container reaches another one or an address",
    output: z.looseObject({ verdict: z.enum(["yes", "no", "unsure"]), hops: z.array(z.looseObject({})) }),
  }),
  route("networks.get", {
    method: "GET",
    path: "/networks/{network}",
    summary: "A network that spans hosts, with its hosts and members",
    output: overlay.extend({
      vni: z.number(),
      addressRange: z.string().nullable(),
      labels: texts,
      options: texts,
      hosts: z.array(z.looseObject({ id: z.string(), name: z.string() })),
      memberRows: z.array(member),
    }),
  }),
  route("networks.inspect", {
    method: "GET",
    path: "/hosts/{host}/networks/{network}",
    summary: "A network of one host, as Docker inspects it",
    output: dockers({ Id: z.string(), Name: z.string() }),
  }),
  route("networks.create", {
    method: "POST",
    path: "/networks",
    summary: "Make a network; without `host` it spans all hosts of the team",
    output: z.object({ id: z.string(), warnings: z.array(z.string()) }),
    isCreation: true,
  }),
  route("networks.remove", { method: "DELETE", path: "/networks/{network}", summary: "Remove a network", output: nothing }),
  route("networks.connect", {
    method: "POST",
    path: "/hosts/{host}/networks/{network}/members",
    summary: "Connect a container to a network",
    output: nothing,
  }),
  route("networks.disconnect", {
    method: "DELETE",
    path: "/hosts/{host}/networks/{network}/members/{container}",
    summary: "Disconnect a container from a network",
    output: nothing,
  }),
] as const;
