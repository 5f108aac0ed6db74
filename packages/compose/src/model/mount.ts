import { z } from "zod";

const target = z.string();

/** A directory or file of the host. `source` is absolute. */
export const BindMount = z.object({
  type: z.literal("bind"),
  source: z.string(),
  target,
  isReadOnly: z.boolean().default(false),
  /** The short form makes a missing directory, the long form does unless it says otherwise. */
  createHostPath: z.boolean().default(true),
  propagation: z.string().optional(),
  selinux: z.enum(["z", "Z"]).optional(),
});

/** A named volume (`source` is a key of the project's volumes) or an anonymous one (no `source`). */
export const VolumeMount = z.object({
  type: z.literal("volume"),
  source: z.string().optional(),
  target,
  isReadOnly: z.boolean().default(false),
  noCopy: z.boolean().default(false),
  subpath: z.string().optional(),
});

export const TmpfsMount = z.object({
  type: z.literal("tmpfs"),
  target,
  isReadOnly: z.boolean().default(false),
  sizeBytes: z.int().optional(),
  /** Permission bits, e.g. 0o1777. */
  mode: z.int().optional(),
});

export const Mount = z.discriminatedUnion("type", [BindMount, VolumeMount, TmpfsMount]);
export type Mount = z.infer<typeof Mount>;
