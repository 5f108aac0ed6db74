import { clean, mapValues, type Plain } from "./format-values.ts";
import { formatService } from "./format-service.ts";
import type { FileObject, Network, Project, Volume } from "./model.ts";

/** A project in the words of a compose file, long forms only: what `config` prints. Loading it gives the same project again. */
export function formatProject(project: Project): Plain {
  return clean({
    name: project.name,
    services: mapValues(project.services, formatService),
    networks: mapValues(project.networks, formatNetwork),
    volumes: mapValues(project.volumes, formatVolume),
    secrets: mapValues(project.secrets, formatFileObject),
    configs: mapValues(project.configs, formatFileObject),
    ...project.extensions,
  });
}

function formatNetwork(network: Network): Plain {
  return clean({
    name: network.name,
    external: network.isExternal,
    driver: network.driver,
    driver_opts: network.driverOpts,
    ipam:
      network.ipam === undefined
        ? undefined
        : clean({
            driver: network.ipam.driver,
            options: network.ipam.options,
            config: network.ipam.pools.map(({ subnet, ipRange, gateway, auxAddresses }) =>
              clean({ subnet, ip_range: ipRange, gateway, aux_addresses: auxAddresses }),
            ),
          }),
    internal: network.isInternal,
    attachable: network.isAttachable,
    enable_ipv4: network.enableIpv4,
    enable_ipv6: network.enableIpv6,
    labels: network.labels,
  });
}

function formatVolume(volume: Volume): Plain {
  return clean({
    name: volume.name,
    external: volume.isExternal,
    driver: volume.driver,
    driver_opts: volume.driverOpts,
    labels: volume.labels,
  });
}

function formatFileObject(object: FileObject): Plain {
  return clean({
    name: object.name,
    external: object.isExternal,
    file: object.file,
    environment: object.environment,
    content: object.content,
    driver: object.driver,
    driver_opts: object.driverOpts,
    template_driver: object.templateDriver,
    labels: object.labels,
  });
}
