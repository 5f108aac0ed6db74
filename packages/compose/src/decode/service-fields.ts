import { isNull, textOf } from "../tree.ts";
import { command, pullPolicy, restart } from "./command.ts";
import { DEVELOP, DEVICE_REQUEST, deployFields } from "./deploy.ts";
import { healthcheck } from "./healthcheck.ts";
import {
  acceptsNull,
  anything,
  field,
  type Fields,
  ignored,
  list,
  type NoteTarget,
  object,
  oneOf,
  type Reader,
  record,
  wrongValue,
} from "./reader.ts";
import {
  between,
  bool,
  bytes,
  bytesOrUnlimited,
  duration,
  integer,
  labels,
  loose,
  mode,
  number,
  text,
  texts,
  value,
  variables,
} from "./scalars.ts";
import { message } from "../message.ts";

const port = between(0, 65_535);
const PORT_RANGE = /^\d{1,5}(-\d{1,5})?$/;

const published: Reader = (node, path, issues) => {
  const source = textOf(node) ?? "";
  return PORT_RANGE.test(source) || source === ""
    ? source
    : wrongValue({ node, path, issues }, message("invalid_published", { found: source }));
};

const PORT: Fields = {
  app_protocol: field("appProtocol", text),
  host_ip: field("hostIp", text),
  mode: field("mode", oneOf("host", "ingress")),
  name: field("name", text),
  protocol: field("protocol", oneOf("tcp", "udp", "sctp")),
  published: field("published", published),
  target: field("target", port),
};

const ATTACHMENT: Fields = {
  aliases: field("aliases", texts),
  driver_opts: { to: "driverOpts", read: labels, note: "attachment_options" },
  gw_priority: { to: "gatewayPriority", read: integer, note: "gateway_priority" },
  interface_name: { to: "interfaceName", read: text, note: "interface_name" },
  ipv4_address: field("ipv4Address", text),
  ipv6_address: { to: "ipv6Address", read: text, note: "ipv6_address" },
  link_local_ips: { to: "linkLocalIps", read: texts, note: "link_local" },
  mac_address: field("macAddress", text),
  priority: field("priority", integer),
};

const DEPENDENCY: Fields = {
  condition: field("condition", oneOf("service_started", "service_healthy", "service_completed_successfully")),
  required: field("isRequired", bool),
  restart: field("restart", bool),
};

const FILE_REFERENCE: Fields = {
  gid: field("gid", loose),
  mode: field("mode", mode),
  source: field("source", text),
  target: field("target", text),
  uid: field("uid", loose),
};

const DEVICE: Fields = { permissions: field("permissions", text), source: field("source", text), target: field("target", text) };
const HOOK: Fields = {
  command: field("command", command),
  environment: field("environment", variables),
  privileged: field("isPrivileged", bool),
  user: field("user", loose),
  working_dir: field("workingDir", text),
};
const ULIMIT: Fields = { hard: field("hard", integer), single: field("single", integer), soft: field("soft", integer) };
const ENV_FILE: Fields = { format: field("format", oneOf("raw")), path: field("path", text), required: field("required", bool) };

const mountFields = (target: NoteTarget): Fields => {
  const nested = (fields: Fields): Reader => object(fields, { target });
  return {
    bind: field(
      "bind",
      nested({
        create_host_path: field("createHostPath", bool),
        propagation: field("propagation", text),
        recursive: ignored("recursive_bind"),
        selinux: field("selinux", oneOf("z", "Z")),
      }),
    ),
    consistency: field("consistency", text),
    read_only: field("isReadOnly", bool),
    source: field("source", text),
    target: field("target", text),
    tmpfs: field("tmpfs", nested({ mode: field("mode", mode), size: field("sizeBytes", bytes) })),
    type: field("type", oneOf("bind", "volume", "tmpfs")),
    volume: field(
      "volume",
      nested({
        labels: ignored("anonymous_labels"),
        nocopy: field("noCopy", bool),
        subpath: field("subpath", text),
      }),
    ),
  };
};

const rates = (rate: "rate" | "rateBytes", target: NoteTarget): Reader =>
  list(object({ path: field("path", text), rate: field(rate, rate === "rate" ? integer : bytes) }, { target }));

const blkio = (target: NoteTarget): Fields => ({
  device_read_bps: field("deviceReadBps", rates("rateBytes", target)),
  device_read_iops: field("deviceReadIops", rates("rate", target)),
  device_write_bps: field("deviceWriteBps", rates("rateBytes", target)),
  device_write_iops: field("deviceWriteIops", rates("rate", target)),
  weight: field("weight", integer),
  weight_device: field("weightDevice", list(object({ path: field("path", text), weight: field("weight", integer) }, { target }))),
});

const buildFields = (target: NoteTarget): Fields => ({
  additional_contexts: { to: "additionalContexts", read: labels, note: "one_context" },
  args: field("args", variables),
  cache_from: field("cacheFrom", texts),
  cache_to: { to: "cacheTo", read: texts, note: "cache_to" },
  context: field("context", text),
  dockerfile: field("dockerfile", text),
  dockerfile_inline: field("dockerfileInline", text),
  entitlements: ignored("entitlements"),
  extra_hosts: field("extraHosts", texts),
  isolation: ignored("windows"),
  labels: field("labels", labels),
  network: field("network", text),
  no_cache: field("noCache", bool),
  platforms: field("platforms", texts),
  privileged: { to: "isPrivileged", read: bool, note: "build_privileged" },
  provenance: ignored("attestations"),
  pull: field("pull", bool),
  sbom: ignored("attestations"),
  secrets: {
    to: "secrets",
    read: list(object(FILE_REFERENCE, { target })),
    note: "build_secrets",
  },
  shm_size: field("shmSizeBytes", bytes),
  ssh: { to: "ssh", read: texts, note: "build_ssh" },
  tags: field("tags", texts),
  target: field("target", text),
  ulimits: field("ulimits", record(object(ULIMIT, { target }))),
});

/** `restart` of the networks: null is a plain membership. */
const attachments = (target: NoteTarget): Reader => {
  const read = record(object(ATTACHMENT, { target }));
  acceptsNull.add(read);
  return read;
};

const emptyable = (read: Reader): Reader => {
  const reader: Reader = (node, path, issues) => (isNull(node) ? undefined : read(node, path, issues));
  return reader;
};

/** What runs: image, command, environment, health, life cycle. */
const processFields = (target: NoteTarget, nested: Nested): Fields => ({
  annotations: field("annotations", labels),
  attach: field("attach", bool),
  build: field("build", nested(buildFields(target))),
  command: field("command", emptyable(command)),
  container_name: field("containerName", text),
  credential_spec: ignored("windows"),
  depends_on: field("dependsOn", record(nested(DEPENDENCY))),
  deploy: field("deploy", object(deployFields(target), { target, withExtensions: true })),
  develop: DEVELOP,
  entrypoint: field("entrypoint", emptyable(command)),
  env_file: field("envFile", list(nested(ENV_FILE))),
  environment: field("environment", variables),
  extends: field("extends", anything),
  group_add: field("groupAdd", texts),
  healthcheck: field("healthcheck", healthcheck(target)),
  image: field("image", text),
  init: field("init", bool),
  label_file: field("labelFile", texts),
  labels: field("labels", labels),
  logging: field("logging", nested({ driver: field("driver", text), options: field("options", labels) })),
  models: ignored("models"),
  platform: field("platform", text),
  post_start: field("postStart", list(nested(HOOK))),
  pre_stop: field("preStop", list(nested(HOOK))),
  profiles: field("profiles", texts),
  provider: ignored("providers"),
  pull_policy: field("pullPolicy", pullPolicy),
  pull_refresh_after: ignored("pull_refresh"),
  restart: field("restart", restart),
  scale: field("scale", between(0, 1_000_000)),
  stdin_open: field("stdinOpen", bool),
  stop_grace_period: field("stopGracePeriodMs", duration),
  stop_signal: field("stopSignal", loose),
  tty: field("tty", bool),
  use_api_socket: ignored("api_socket"),
  user: field("user", loose),
  working_dir: field("workingDir", text),
});

/** How it is reached, and what it reads and writes. */
const connectionFields = (target: NoteTarget, nested: Nested): Fields => ({
  configs: field("configs", list(nested(FILE_REFERENCE))),
  dns: field("dns", texts),
  dns_opt: field("dnsOpt", texts),
  dns_search: field("dnsSearch", texts),
  domainname: field("domainname", text),
  expose: field("expose", texts),
  external_links: field("externalLinks", texts),
  extra_hosts: field("extraHosts", texts),
  hostname: field("hostname", text),
  links: field("links", texts),
  mac_address: field("macAddress", text),
  network_mode: field("networkMode", text),
  networks: field("networks", attachments(target)),
  ports: field("ports", list(nested(PORT))),
  read_only: field("isReadOnly", bool),
  secrets: field("secrets", list(nested(FILE_REFERENCE))),
  shm_size: field("shmSizeBytes", bytes),
  storage_opt: { to: "storageOpt", read: labels, note: "storage_options" },
  tmpfs: field("tmpfs", texts),
  volumes: field("volumes", list(nested(mountFields(target)))),
  volumes_from: field("volumesFrom", texts),
});

/** How it is kept from others: rights and limits. */
const isolationFields = (target: NoteTarget, nested: Nested): Fields => ({
  blkio_config: field("blkio", nested(blkio(target))),
  cap_add: field("capAdd", texts),
  cap_drop: field("capDrop", texts),
  cgroup: field("cgroup", oneOf("host", "private")),
  cgroup_parent: field("cgroupParent", text),
  cpu_count: { to: "cpuCount", read: integer, note: "windows" },
  cpu_percent: { to: "cpuPercent", read: number, note: "windows" },
  cpu_period: field("cpuPeriodUs", microseconds),
  cpu_quota: field("cpuQuotaUs", microseconds),
  cpu_rt_period: field("cpuRealtimePeriodUs", microseconds),
  cpu_rt_runtime: field("cpuRealtimeRuntimeUs", microseconds),
  cpu_shares: field("cpuShares", integer),
  cpus: field("cpus", number),
  cpuset: field("cpuset", loose),
  device_cgroup_rules: field("deviceCgroupRules", texts),
  devices: field("devices", list(nested(DEVICE))),
  gpus: { to: "gpus", read: list(nested(DEVICE_REQUEST)), note: "gpus" },
  ipc: field("ipc", text),
  isolation: { to: "isolation", read: text, note: "windows" },
  mem_limit: field("memLimitBytes", bytes),
  mem_reservation: field("memReservationBytes", bytes),
  mem_swappiness: field("memSwappiness", integer),
  memswap_limit: field("memswapLimitBytes", bytesOrUnlimited),
  oom_kill_disable: field("oomKillDisable", bool),
  oom_score_adj: field("oomScoreAdj", between(-1000, 1000)),
  pid: field("pid", emptyable(text)),
  pids_limit: field("pidsLimit", integer),
  privileged: field("isPrivileged", bool),
  runtime: field("runtime", text),
  security_opt: field("securityOpt", texts),
  sysctls: field("sysctls", record(value)),
  ulimits: field("ulimits", record(nested(ULIMIT))),
  userns_mode: field("usernsMode", text),
  uts: field("uts", text),
});

/** Every key of a service. */
export const serviceFields = (target: NoteTarget): Fields => {
  const nested: Nested = (fields) => object(fields, { target });
  return { ...processFields(target, nested), ...connectionFields(target, nested), ...isolationFields(target, nested) };
};

type Nested = (fields: Fields) => Reader;

/** Microseconds as a number, or a duration (`400ms`). */
function microseconds(...[node, path, issues]: Parameters<Reader>): unknown {
  const source = textOf(node) ?? "";
  if (/^-?\d+$/.test(source)) return Number(source);
  const ms = duration(node, path, issues);
  return typeof ms === "number" ? Math.round(ms * 1000) : undefined;
}
