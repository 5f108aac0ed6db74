import { REGISTRY_CREDENTIALS, type RegistryCredentials } from "@flotilla/protocol";
import type { HostComposer } from "../context.ts";
import { issuePullCredential } from "./issue-registry-token.ts";

/** By this a host pulls its team's images without `docker login`. */
export const credentialsComposer: HostComposer = {
  kind: REGISTRY_CREDENTIALS,
  async compose({ services, team, host }) {
    const body: RegistryCredentials = { ...issuePullCredential(services, host.id), namespaces: [team.namespace] };
    return new Map([["", body]]);
  },
};
