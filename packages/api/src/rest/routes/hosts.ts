import { guardAllow, guardLimits } from "@flotilla/protocol";
import { z } from "zod";
import { nothing, route, texts, time } from "../route.ts";

const joinToken = z.object({
  id: z.string(),
  name: z.string().nullable(),
  createdAt: time,
  expiresAt: time,
  uses: z.number(),
  usesLeft: z.number(),
});

const host = z.object({
  id: z.string(),
  name: z.string(),
  state: z.enum(["online", "offline", "never"]),
  isLocal: z.boolean(),
  version: z.string().nullable(),
  os: z.string().nullable(),
  kernel: z.string().nullable(),
  architecture: z.string().nullable(),
  cpus: z.number().nullable(),
  memoryBytes: z.number().nullable(),
  lastSeenAt: time.nullable(),
  addedAt: time,
  address: z.string().nullable(),
  flag: z.string().nullable(),
  isShared: z.boolean(),
  stats: z.looseObject({}).nullable(),
  availability: z.enum(["active", "cordon", "drain"]),
});

export const HOST_ROUTES = [
  route("hosts.list", { method: "GET", path: "/hosts", summary: "Hosts of the team", output: z.array(host), list: (item) => item.id }),
  route("hosts.get", {
    method: "GET",
    path: "/hosts/{host}",
    summary: "A host with its engine's information",
    output: host.extend({
      underlay: z.looseObject({ encryption: z.string() }).nullable(),
      desiredState: z.looseObject({ state: z.string() }).nullable(),
      info: z.looseObject({}).nullable(),
      labels: texts,
    }),
  }),
  route("hosts.rename", { method: "PATCH", path: "/hosts/{host}", summary: "Give a host another name", output: nothing }),
  route("hosts.place", {
    method: "PUT",
    path: "/hosts/{host}/placement",
    summary: "Say what the scheduler may do with a host",
    output: nothing,
  }),
  route("hosts.remove", { method: "DELETE", path: "/hosts/{host}", summary: "Remove a host", output: nothing }),
  route("guards.get", {
    method: "GET",
    path: "/hosts/{host}/guard-rails",
    summary: "What teams may do on a host, and how much of it they may use",
    output: z.object({
      teams: z.array(
        z.object({
          team: z.object({ id: z.string(), name: z.string() }),
          source: z.enum(["own", "default", "safe"]),
          limits: guardLimits,
          allow: guardAllow,
          grantLimits: guardLimits,
        }),
      ),
      instanceDefault: z.object({ limits: guardLimits, allow: guardAllow }).nullable(),
    }),
  }),
  route("guards.set", {
    method: "PUT",
    path: "/hosts/{host}/guard-rails",
    summary: "Say what a team may do on a host, and how much of it it may use",
    output: nothing,
  }),
  route("guards.reset", {
    method: "DELETE",
    path: "/hosts/{host}/guard-rails",
    summary: "Let the instance's default guard rail hold for a team on a host",
    output: nothing,
  }),
  route("hosts.joinTokens.list", {
    method: "GET",
    path: "/join-tokens",
    summary: "Tokens by which machines may become hosts",
    output: z.array(joinToken),
    list: (item) => item.id,
  }),
  route("hosts.joinTokens.create", {
    method: "POST",
    path: "/join-tokens",
    summary: "Make a join token; its text is answered once",
    output: z.object({ command: z.string(), token: z.string(), controlUrl: z.string(), isLoopback: z.boolean(), expiresAt: time }),
    isCreation: true,
  }),
  route("hosts.joinTokens.revoke", { method: "DELETE", path: "/join-tokens/{id}", summary: "Revoke a join token", output: nothing }),
  route("overview.get", {
    method: "GET",
    path: "/overview",
    summary: "Counts by state, and what needs attention",
    output: z.object({
      hosts: z.record(z.string(), z.number()),
      containers: z.record(z.string(), z.number()),
      stacks: z.number().nullable(),
      attention: z.array(z.looseObject({ severity: z.string(), code: z.string(), href: z.string(), since: time.nullable() })),
    }),
  }),
  route("overview.history", {
    method: "GET",
    path: "/overview/history",
    summary: "How busy the hosts were in the last hour, oldest first",
    output: z.object({
      stepSeconds: z.number(),
      cpuPercent: z.array(z.number().nullable()),
      memoryPercent: z.array(z.number().nullable()),
    }),
  }),
] as const;
