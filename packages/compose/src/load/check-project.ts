import { suggest } from "@flotilla/core";
import type { Project, Service } from "../model.ts";
import { findCycle } from "../dependency-order.ts";
import type { BuiltProject } from "./build-project.ts";
import type { CheckContext } from "./check-context.ts";
import { checkPorts } from "./check-ports.ts";

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
    context.report(`services.${first}.depends_on`, `dependency cycle detected: ${[...cycle, first].join(" -> ")}`);
}

function checkRequested(known: readonly string[], { issues, requested }: CheckContext): void {
  for (const name of requested) {
    const near = suggest(name, known);
    if (!known.includes(name)) issues.error("", `no such service: ${name}`, near === undefined ? {} : { suggestion: near });
  }
}

function checkService(name: string, service: Service, context: CheckContext): void {
  const path = `services.${name}`;
  if (service.image === "") context.report(path, `service "${name}" has neither an image nor a build context specified`);
  if (service.networkMode !== undefined && Object.keys(service.networks).length > 0)
    context.report(`${path}.network_mode`, "network_mode and networks exclude each other");
  if (service.containerName !== undefined && service.deploy.replicas > 1)
    context.report(`${path}.container_name`, `a fixed container name allows one replica, not ${service.deploy.replicas}`);
}

type Referencing = { project: Project; context: CheckContext };

function checkReferences(name: string, service: Service, { project, context }: Referencing): void {
  const path = `services.${name}`;
  const need = (kind: "network" | "volume" | "secret" | "config", key: string): void => {
    const section = project[`${kind}s`];
    if (Object.hasOwn(section, key)) return;
    context.report(`${path}.${kind}s`, `service "${name}" refers to undefined ${kind} ${key}`, suggest(key, Object.keys(section)));
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
    if (!dependency.isRequired) context.issues.warn(path, `optional dependency "${other}" is not available`, context.positionOf(path));
    else if (Object.hasOwn(all, other)) context.report(path, `service "${name}" depends on "${other}", which no active profile enables`);
    else context.report(path, `service "${name}" depends on undefined service ${other}`, suggest(other, Object.keys(all)));
  }
}

/** There is one `host` and one `none` network, which every engine has: no file can make another. */
function checkNetworks(project: Project, context: CheckContext): void {
  for (const [key, { driver, isExternal }] of Object.entries(project.networks)) {
    if (isExternal || (driver !== "host" && driver !== "none")) continue;
    const words = `a network of driver ${driver} cannot be made: give the service network_mode: ${driver}, or this network another driver`;
    context.report(`networks.${key}.driver`, words);
  }
}

/** An engine gives fixed addresses only where the file has chosen the subnet that they are of. */
function checkAddresses(project: Project, context: CheckContext): void {
  for (const [name, service] of Object.entries(project.services)) {
    for (const [key, { ipv4Address }] of Object.entries(service.networks)) {
      const network = project.networks[key];
      if (ipv4Address === undefined || network === undefined || network.isExternal) continue;
      if (network.ipam?.pools.some(({ subnet }) => subnet !== undefined) === true) continue;
      const words = `a fixed address needs a subnet of the file's choice: give network ${key} an ipam.config with a subnet that has ${ipv4Address}`;
      context.report(`services.${name}.networks.${key}.ipv4_address`, words);
    }
  }
}

function checkFileObjects(project: Project, context: CheckContext): void {
  for (const kind of ["secrets", "configs"] as const) {
    for (const [key, object] of Object.entries(project[kind])) {
      const sources = [object.file, object.environment, object.content].filter((source) => source !== undefined).length;
      if (object.isExternal && sources > 0) context.report(`${kind}.${key}`, "external excludes file, environment and content");
      else if (!object.isExternal && sources !== 1)
        context.report(`${kind}.${key}`, `needs exactly one of file, environment${kind === "configs" ? ", content" : ""} and external`);
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
        `services "${owner}" and "${name}" both have the container name "${containerName}"`,
      );
    owners.set(containerName, name);
  }
}
