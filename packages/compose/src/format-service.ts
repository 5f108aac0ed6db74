import { formatDeploy } from "./format-deploy.ts";
import { clean, formatDuration, mapValues, octal, type Plain, words } from "./format-values.ts";
import type { Build, FileReference, Healthcheck, Mount, Service } from "./model.ts";

/** A service in the words of a compose file. */
export function formatService(service: Service): Plain {
  return {
    ...clean({ ...processKeys(service), ...connectionKeys(service), ...isolationKeys(service), ...service.extensions }),
    ...attachKey(service),
  };
}

const attachKey = ({ attach }: Service): Plain => (attach ? {} : { attach: false });

function processKeys(service: Service): Plain {
  const { restart } = service;
  return {
    image: service.image,
    build: service.build === undefined ? undefined : formatBuild(service.build),
    container_name: service.containerName,
    platform: service.platform,
    pull_policy: service.pullPolicy === "refresh" ? `every_${formatDuration(service.pullRefreshMs) ?? ""}` : service.pullPolicy,
    profiles: service.profiles,
    command: words(service.command),
    entrypoint: words(service.entrypoint),
    environment: service.environment,
    labels: service.labels,
    annotations: service.annotations,
    user: service.user,
    group_add: service.groupAdd,
    working_dir: service.workingDir,
    tty: service.tty,
    stdin_open: service.stdinOpen,
    init: service.init,
    stop_signal: service.stopSignal,
    stop_grace_period: formatDuration(service.stopGracePeriodMs),
    healthcheck: service.healthcheck === undefined ? undefined : formatHealthcheck(service.healthcheck),
    depends_on: mapValues(service.dependsOn, ({ condition, isRequired, restart: restarts }) => ({
      condition,
      required: isRequired,
      ...(restarts ? { restart: true } : {}),
    })),
    restart: restart === undefined ? undefined : `${restart.name}${restart.maximumRetryCount > 0 ? `:${restart.maximumRetryCount}` : ""}`,
    deploy: formatDeploy(service.deploy),
    logging: service.logging === undefined ? undefined : clean({ driver: service.logging.driver, options: service.logging.options }),
    post_start: service.postStart.map(formatHook),
    pre_stop: service.preStop.map(formatHook),
  };
}

function connectionKeys(service: Service): Plain {
  return {
    network_mode: service.networkMode,
    networks: mapValues(service.networks, (attachment) => {
      const keys = clean({
        aliases: attachment.aliases,
        ipv4_address: attachment.ipv4Address,
        ipv6_address: attachment.ipv6Address,
        link_local_ips: attachment.linkLocalIps,
        mac_address: attachment.macAddress,
        interface_name: attachment.interfaceName,
        driver_opts: attachment.driverOpts,
        priority: attachment.priority === 0 ? undefined : attachment.priority,
        gw_priority: attachment.gatewayPriority === 0 ? undefined : attachment.gatewayPriority,
      });
      return Object.keys(keys).length === 0 ? null : keys;
    }),
    ports: service.ports.map(({ target, protocol, published, publishedEnd, hostIp, mode, name, appProtocol }) =>
      clean({
        name,
        mode,
        host_ip: hostIp,
        target,
        published: published === undefined ? undefined : `${published}${publishedEnd === undefined ? "" : `-${publishedEnd}`}`,
        protocol,
        app_protocol: appProtocol,
      }),
    ),
    expose: service.expose,
    hostname: service.hostname,
    domainname: service.domainname,
    mac_address: service.macAddress,
    dns: service.dns,
    dns_search: service.dnsSearch,
    dns_opt: service.dnsOpt,
    extra_hosts: service.extraHosts,
    links: service.links,
    external_links: service.externalLinks,
    volumes: service.volumes.map(formatMount),
    tmpfs: Object.entries(service.tmpfs).map(([path, options]) => (options === "" ? path : `${path}:${options}`)),
    volumes_from: service.volumesFrom,
    secrets: service.secrets.map(formatReference),
    configs: service.configs.map(formatReference),
    read_only: service.isReadOnly,
    storage_opt: service.storageOpt,
    shm_size: service.shmSizeBytes === undefined ? undefined : String(service.shmSizeBytes),
  };
}

function isolationKeys(service: Service): Plain {
  const { blkio } = service;
  const rates = (list: readonly { path: string; rate?: number; rateBytes?: number }[]): Plain[] =>
    list.map(({ path, rate, rateBytes }) => ({ path, rate: rate ?? rateBytes }));
  return {
    privileged: service.isPrivileged,
    cap_add: service.capAdd,
    cap_drop: service.capDrop,
    security_opt: service.securityOpt,
    devices: service.devices,
    device_cgroup_rules: service.deviceCgroupRules,
    cgroup: service.cgroup,
    cgroup_parent: service.cgroupParent,
    ipc: service.ipc,
    pid: service.pid,
    uts: service.uts,
    userns_mode: service.usernsMode,
    isolation: service.isolation,
    runtime: service.runtime,
    sysctls: service.sysctls,
    ulimits: service.ulimits,
    oom_kill_disable: service.oomKillDisable,
    oom_score_adj: service.oomScoreAdj,
    cpu_shares: service.cpuShares,
    cpu_quota: service.cpuQuotaUs,
    cpu_period: service.cpuPeriodUs,
    cpu_rt_runtime: service.cpuRealtimeRuntimeUs,
    cpu_rt_period: service.cpuRealtimePeriodUs,
    cpuset: service.cpuset,
    cpu_count: service.cpuCount,
    cpu_percent: service.cpuPercent,
    memswap_limit: service.memswapLimitBytes === undefined ? undefined : String(service.memswapLimitBytes),
    mem_swappiness: service.memSwappiness,
    blkio_config:
      blkio === undefined
        ? undefined
        : clean({
            weight: blkio.weight,
            weight_device: blkio.weightDevice,
            device_read_bps: rates(blkio.deviceReadBps),
            device_read_iops: rates(blkio.deviceReadIops),
            device_write_bps: rates(blkio.deviceWriteBps),
            device_write_iops: rates(blkio.deviceWriteIops),
          }),
  };
}

function formatHealthcheck(health: Healthcheck): Plain {
  if (health.test?.[0] === "NONE") return { disable: true };
  return clean({
    test: health.test,
    interval: formatDuration(health.intervalMs),
    timeout: formatDuration(health.timeoutMs),
    start_period: formatDuration(health.startPeriodMs),
    start_interval: formatDuration(health.startIntervalMs),
    retries: health.retries,
  });
}

function formatHook({ command, user, isPrivileged, workingDir, environment }: Service["postStart"][number]): Plain {
  return clean({ command, user, privileged: isPrivileged, working_dir: workingDir, environment });
}

function formatReference({ source, target, uid, gid, mode }: FileReference): Plain {
  return clean({ source, target, uid, gid, mode: octal(mode) });
}

function formatMount(mount: Mount): Plain {
  const base = {
    type: mount.type,
    source: mount.type === "tmpfs" ? undefined : mount.source,
    target: mount.target,
    read_only: mount.isReadOnly,
  };
  if (mount.type === "bind")
    return clean({
      ...base,
      bind: { create_host_path: mount.createHostPath, ...clean({ propagation: mount.propagation, selinux: mount.selinux }) },
    });
  if (mount.type === "volume") return clean({ ...base, volume: clean({ nocopy: mount.noCopy, subpath: mount.subpath }) });
  return clean({
    ...base,
    tmpfs: clean({ size: mount.sizeBytes === undefined ? undefined : String(mount.sizeBytes), mode: octal(mount.mode) }),
  });
}

function formatBuild(build: Build): Plain {
  return clean({
    context: build.context,
    dockerfile: build.dockerfileInline === undefined ? build.dockerfile : undefined,
    dockerfile_inline: build.dockerfileInline,
    args: build.args,
    labels: build.labels,
    tags: build.tags,
    cache_from: build.cacheFrom,
    cache_to: build.cacheTo,
    additional_contexts: build.additionalContexts,
    extra_hosts: build.extraHosts,
    network: build.network,
    target: build.target,
    platforms: build.platforms,
    privileged: build.isPrivileged,
    no_cache: build.noCache,
    pull: build.pull,
    shm_size: build.shmSizeBytes === undefined ? undefined : String(build.shmSizeBytes),
    secrets: build.secrets,
    ssh: build.ssh,
    ulimits: build.ulimits,
  });
}
