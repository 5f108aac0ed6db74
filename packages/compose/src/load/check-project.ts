import { suggest } from "@flotilla/core";
import type { Project, Service } from "../model.ts";
import { findCycle } from "../dependency-order.ts";
import type { BuiltProject } from "./build-project.ts";
import type { CheckContext } from "./check-context.ts";
import { checkPorts } from "./check-ports.ts";
import { message } from "../message.ts";

/** Mistakes that no key has by itself: names that nothing has, cycles, two services on one port. */
export function checkProject({ project, disabledServices }: BuiltProject, context: CheckContext): void {
  const all = { ...project.services, ...disabledServices };
  checkRequested(Object.keys(all), context);
  for (const [name, service] of Object.entries(project.services)) {
    checkService(name, service, context);
    checkReferences(name, service, { project, context });
    checkDependencies(name, service, { all, enabled: project.services, context });
  }
  checkFileObjects(project, context);
  checkNetworks(project, context);
  if (context.isOneHost) checkAddresses(project, context);
  checkContainerNames(project, context);
  checkPorts(project, context);
  const cycle = findCycle(project.services);
  const [first] = cycle ?? [];
  if (cycle !== undefined && first !== undefined)
    context.report(`services.${first}.depends_on`, message("dependency_cycle", { services: [...cycle, first].join(" -> ") }));
}

function checkRequested(known: readonly string[], { issues, requested }: CheckContext): void {
  for (const name of requested) {
    const near = suggest(name, known);
    if (!known.includes(name)) issues.error("", message("no_such_service", { name }), near === undefined ? {} : { suggestion: near });
  }
}

function checkService(name: string, service: Service, context: CheckContext): void {
  const path = `services.${name}`;
  if (service.image === "") context.report(path, message("no_image", { service: name }));
  if (service.networkMode !== undefined && Object.keys(service.networks).length > 0)
    context.report(`${path}.network_mode`, message("network_mode_and_networks"));
  if (service.containerName !== undefined && service.deploy.replicas > 1)
    context.report(`${path}.container_name`, message("container_name_of_many", { count: service.deploy.replicas }));
}

type Referencing = { project: Project; context: CheckContext };

function checkReferences(name: string, service: Service, { project, context }: Referencing): void {
  const path = `services.${name}`;
  const need = (kind: "network" | "volume" | "secret" | "config", key: string): void => {
    const section = project[`${kind}s`];
    if (Object.hasOwn(section, key)) return;
    const said = message(`undefined_${kind}`, { service: name, name: key });
    context.report(`${path}.${kind}s`, said, suggest(key, Object.keys(section)));
  };
  for (const key of Object.keys(service.networks)) need("network", key);
  for (const mount of service.volumes) if (mount.type === "volume" && mount.source !== undefined) need("volume", mount.source);
  for (const { source } of service.secrets) need("secret", source);
  for (const { source } of service.configs) need("config", source);
}

type Depending = { all: Readonly<Record<string, Service>>; enabled: Readonly<Record<string, Service>>; context: CheckContext };

function checkDependencies(name: string, service: Service, { all, enabled, context }: Depending): void {
  for (const [other, dependency] of Object.entries(service.dependsOn)) {
    if (Object.hasOwn(enabled, other)) continue;
    const path = `services.${name}.depends_on`;
    if (!dependency.isRequired) context.issues.warn(path, message("dependency_optional", { name: other }), context.positionOf(path));
    else if (Object.hasOwn(all, other)) context.report(path, message("dependency_disabled", { service: name, name: other }));
    else context.report(path, message("dependency_undefined", { service: name, name: other }), suggest(other, Object.keys(all)));
  }
}

/** There is one `host` and one `none` network, which every engine has: no file can make another. */
function checkNetworks(project: Project, context: CheckContext): void {
  for (const [key, { driver, isExternal }] of Object.entries(project.networks)) {
    if (isExternal || (driver !== "host" && driver !== "none")) continue;
    context.report(`networks.${key}.driver`, message("network_driver", { driver }));
  }
}

/** An engine gives fixed addresses only where the file has chosen the subnet that they are of. */
function checkAddresses(project: Project, context: CheckContext): void {
  for (const [name, service] of Object.entries(project.services)) {
    for (const [key, { ipv4Address }] of Object.entries(service.networks)) {
      const network = project.networks[key];
      if (ipv4Address === undefined || network === undefined || network.isExternal) continue;
      if (network.ipam?.pools.some(({ subnet }) => subnet !== undefined) === true) continue;
      const said = message("address_needs_subnet", { network: key, address: ipv4Address });
      context.report(`services.${name}.networks.${key}.ipv4_address`, said);
    }
  }
}

function checkFileObjects(project: Project, context: CheckContext): void {
  for (const kind of ["secrets", "configs"] as const) {
    for (const [key, object] of Object.entries(project[kind])) {
      const sources = [object.file, object.environment, object.content].filter((source) => source !== undefined).length;
      if (object.isExternal && sources > 0) context.report(`${kind}.${key}`, message("external_excludes"));
      else if (!object.isExternal && sources !== 1)
        context.report(`${kind}.${key}`, message(kind === "configs" ? "config_needs_one" : "secret_needs_one"));
    }
  }
}

function checkContainerNames(project: Project, context: CheckContext): void {
  const owners = new Map<string, string>();
  for (const [name, { containerName }] of Object.entries(project.services)) {
    if (containerName === undefined) continue;
    const owner = owners.get(containerName);
    if (owner !== undefined)
      context.report(
        `services.${name}.container_name`,
        message("container_name_twice", { other: owner, service: name, name: containerName }),
      );
    owners.set(containerName, name);
  }
}
