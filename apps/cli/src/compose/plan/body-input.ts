import type { Peers, Project, Service } from "@flotilla/compose";

export type BodyInput = {
  project: Project;
  serviceName: string;
  service: Service;
  containerName: string;
  number: number;
  isOneOff: boolean;
  /** A one-off container that is to be found by the service's names all the same. */
  usesAliases?: boolean | undefined;
  configHash: string;
  imageId: string | undefined;
  peers: Peers;
  workingDir: string;
  files: readonly string[];
  version: string;
  /** Volumes of the container that is replaced, which this one takes over: name by path in the container. */
  inherited: ReadonlyMap<string, string>;
  /** Id of the container that this one replaces. */
  replaces?: string | undefined;
  /** Secrets and configs that are bound instead of copied in: path here by path in the container. */
  boundFiles: ReadonlyMap<string, string>;
  /** Whether the engine takes several networks at once (API 1.44). */
  takesNetworks: boolean;
};
