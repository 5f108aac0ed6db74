// What of a host a scheduler has to know beside its replicas.
import { z } from "zod";

/** The observed resource of this name. */
export const HOST_USE = "use";

/** Most images that a host names, the newest ones. */
export const MAX_USE_IMAGES = 500;
const MAX_PORTS = 5_000;

export const hostUse = z.object({
  /** Canonical names (`docker.io/library/busybox:latest`) of images that need not be pulled, with the namespace that has them. */
  images: z.array(z.object({ namespace: z.string().max(128), name: z.string().max(512) })).max(MAX_USE_IMAGES),
  /** Ports of the host, such as `80/tcp`, that containers have taken which are no replicas. */
  ports: z.array(z.string().regex(/^\d{1,5}\/(tcp|udp|sctp)$/)).max(MAX_PORTS),
});
export type HostUse = z.output<typeof hostUse>;
