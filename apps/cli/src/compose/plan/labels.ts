/** Labels as Docker Compose writes them: they are all that Compose remembers, so every Compose sees the others' projects. */
export const LABEL = {
  project: "com.docker.compose.project",
  service: "com.docker.compose.service",
  number: "com.docker.compose.container-number",
  oneoff: "com.docker.compose.oneoff",
  configHash: "com.docker.compose.config-hash",
  /** Must look like numbers: docker-compose 1.29 compares it with its own. */
  version: "com.docker.compose.version",
  workingDir: "com.docker.compose.project.working_dir",
  configFiles: "com.docker.compose.project.config_files",
  environmentFile: "com.docker.compose.project.environment_file",
  image: "com.docker.compose.image",
  dependsOn: "com.docker.compose.depends_on",
  slug: "com.docker.compose.slug",
  replace: "com.docker.compose.replace",
  network: "com.docker.compose.network",
  volume: "com.docker.compose.volume",
} as const;

/** Go's `strconv.FormatBool` with Python's capital: what both Composes write and read. */
export const ONEOFF = { yes: "True", no: "False" } as const;

/** A container of a project as the engine lists it. */
export type ObservedContainer = {
  id: string;
  /** Without the slash. */
  name: string;
  service: string;
  number: number;
  isOneOff: boolean;
  /** `created`, `running`, `paused`, `restarting`, `removing`, `exited`, `dead`. */
  state: string;
  configHash: string | undefined;
  imageId: string;
  /** Id of the container that it was made to replace by an `up` that was cut off, or has since gone. */
  replaces: string | undefined;
};

/** What one call of the engine tells about a project. */
export type ObservedProject = {
  containers: readonly ObservedContainer[];
  /** Names of networks and volumes that exist. */
  networks: ReadonlySet<string>;
  volumes: ReadonlySet<string>;
};

export const containerName = (project: string, service: string, number: number): string => `${project}-${service}-${number}`;

/** `web-1`: how logs call a container. */
export const shortName = (project: string, name: string): string =>
  name.startsWith(`${project}-`) || name.startsWith(`${project}_`) ? name.slice(project.length + 1) : name;
