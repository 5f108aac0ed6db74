/** What to run: the input of `containers.run` (docs/design/control-api.md). */
export type RunSpec = {
  image: string;
  name?: string | undefined;
  command?: string[] | undefined;
  entrypoint?: string[] | undefined;
  env: { name: string; value: string }[];
  ports: { hostIp?: string | undefined; hostPort?: number | undefined; containerPort: number; protocol: "tcp" | "udp" }[];
  mounts: { kind: "bind" | "volume" | "tmpfs"; source?: string | undefined; target: string; readOnly: boolean }[];
  restart: { name: "no" | "always" | "unless-stopped" | "on-failure"; maximumRetryCount?: number | undefined };
  network?: string | undefined;
  hostname?: string | undefined;
  user?: string | undefined;
  workingDir?: string | undefined;
  tty: boolean;
  interactive: boolean;
  autoRemove: boolean;
  privileged: boolean;
  init: boolean;
  readOnly: boolean;
  memoryBytes?: number | undefined;
  cpus?: number | undefined;
  pidsLimit?: number | undefined;
  labels: Record<string, string>;
  capAdd: string[];
  capDrop: string[];
};
