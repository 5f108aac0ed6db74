import { z } from "zod";

/** Kind, and key, of the resource by which a host may pull from the control plane's registry. */
export const REGISTRY_CREDENTIALS = "registry-credentials";

/** The body of that resource. */
export const registryCredentials = z.object({
  /** `host:port` by which the operator calls the control plane; how the host itself dialled it counts beside it. */
  serverAddress: z.string().min(1).max(300),
  username: z.string().min(1).max(100),
  password: z.string().min(1).max(16_384),
  expiresAt: z.iso.datetime(),
  /** Namespaces of the host's engine whose pulls may use it. */
  namespaces: z.array(z.string().min(1).max(100)).max(1_000),
});
export type RegistryCredentials = z.output<typeof registryCredentials>;
