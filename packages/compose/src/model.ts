import { z } from "zod";
import { Service } from "./model/service.ts";

export * from "./model/build.ts";
export * from "./model/deploy.ts";
export * from "./model/mount.ts";
export * from "./model/service.ts";

/**
 * The canonical project: what a compose file means once variables, merges, short forms, `extends`, `include`, `env_file` and
 * profiles are resolved. Names of engine objects are final, paths are absolute, durations are milliseconds, sizes are bytes;
 * collections are always there, empty when the file says nothing. Optional values are absent when the file leaves the choice to the engine
 * or to the image. It is plain JSON: a revision of a stack stores it as it is, and `parse` of the schema fills what an older version did not write.
 *
 * Folded together, so that each thing has one place: `scale` is `deploy.replicas`; `mem_limit`, `mem_reservation`, `cpus` and
 * `pids_limit` are in `deploy.resources`; `env_file` is in `environment`; `links` are `dependsOn` and aliases in `links`.
 */

/** One address range of a network; addresses and prefixes as text (`10.5.0.0/16`). */
export const IpamPool = z.object({
  subnet: z.string().optional(),
  ipRange: z.string().optional(),
  gateway: z.string().optional(),
  auxAddresses: z.record(z.string(), z.string()).default({}),
});
export type IpamPool = z.infer<typeof IpamPool>;

/** A network of the project. `name` is the engine's name (`shop_default`); an external one is used and never made or removed. */
export const Network = z.object({
  name: z.string(),
  isExternal: z.boolean().default(false),
  /** Absent: the engine's default (`bridge` on one host; a stack over several hosts chooses `overlay`). */
  driver: z.string().optional(),
  driverOpts: z.record(z.string(), z.string()).default({}),
  ipam: z
    .object({
      driver: z.string().optional(),
      options: z.record(z.string(), z.string()).default({}),
      pools: z.array(IpamPool).default([]),
    })
    .optional(),
  isInternal: z.boolean().default(false),
  isAttachable: z.boolean().default(false),
  enableIpv4: z.boolean().optional(),
  enableIpv6: z.boolean().optional(),
  labels: z.record(z.string(), z.string()).default({}),
});
export type Network = z.infer<typeof Network>;

/** A named volume of the project. `name` is the engine's name (`shop_data`). */
export const Volume = z.object({
  name: z.string(),
  isExternal: z.boolean().default(false),
  driver: z.string().optional(),
  driverOpts: z.record(z.string(), z.string()).default({}),
  labels: z.record(z.string(), z.string()).default({}),
});
export type Volume = z.infer<typeof Volume>;

/**
 * A secret or config of the project: at most one of `file` (absolute path), `environment` (name of a variable where the
 * command runs; its value is never in the model) and `content` (configs only; text of the compose file); none of them if it is external.
 */
export const FileObject = z.object({
  name: z.string(),
  isExternal: z.boolean().default(false),
  file: z.string().optional(),
  environment: z.string().optional(),
  content: z.string().optional(),
  driver: z.string().optional(),
  driverOpts: z.record(z.string(), z.string()).default({}),
  templateDriver: z.string().optional(),
  labels: z.record(z.string(), z.string()).default({}),
});
export type FileObject = z.infer<typeof FileObject>;

/** A whole project. Every reference inside (network, volume, secret, config, service keys) is defined here: the loader refuses others. */
export const Project = z.object({
  /** Lower-case letters, digits, `-` and `_`, beginning with a letter or digit. */
  name: z.string().regex(/^[a-z0-9][a-z0-9_-]*$/),
  /** Keyed by service name, in the file's order; services of profiles that are not active are left out. */
  services: z.record(z.string(), Service).default({}),
  networks: z.record(z.string(), Network).default({}),
  volumes: z.record(z.string(), Volume).default({}),
  secrets: z.record(z.string(), FileObject).default({}),
  configs: z.record(z.string(), FileObject).default({}),
  /** Top-level `x-…` keys, as written, with variables substituted. */
  extensions: z.record(z.string(), z.unknown()).default({}),
});
export type Project = z.infer<typeof Project>;
