import { child, isNull, listNode, mapNode, scalarNode, textOf, withChild } from "../tree.ts";
import { deviceList, volumeList } from "./mounts.ts";
import { portList } from "./ports.ts";
import { type Canonical, chain, each, fields, filePath, keyValues, names, oneOrMore, resolvePath, under, values } from "./values.ts";

/** `[db]` → `{db: {condition: service_started, required: true}}`. */
const dependencies: Canonical = (node) => {
  if (node.kind !== "list") return node;
  const named = node.items.map((item) => [textOf(item), item] as const);
  if (named.some(([text]) => text === undefined)) return node;
  const entries = named.map(
    ([text, item]) => [text ?? "", mapNode([["condition", scalarNode("service_started", item.at)]], item.at)] as const,
  );
  return mapNode(entries, node.at, node.tag);
};

/** `name:address` and `name=address`, several addresses for one name, as one list. */
const extraHosts: Canonical = (node) => {
  if (node.kind !== "map") return node;
  const items = [...node.entries].flatMap(([name, { value }]) => {
    const addresses = value.kind === "list" ? value.items : [value];
    return addresses.map((address) => scalarNode(`${name}=${textOf(address) ?? ""}`, address.at));
  });
  return listNode(items, node.at, node.tag);
};

/** A context is a directory unless it is an address. */
const buildContext: Canonical = (node, _path, scope) => {
  const text = textOf(node);
  return text === undefined || isRemoteContext(text) ? node : scalarNode(resolvePath(text, scope), node.at);
};

export const isRemoteContext = (context: string): boolean =>
  /^(https?:\/\/|git:\/\/|ssh:\/\/|git@|github\.com\/)/.test(context) || /^(docker-image|target|service|oci-layout):/.test(context);

const build = chain(
  under("context"),
  fields({
    context: buildContext,
    args: keyValues,
    labels: keyValues,
    extra_hosts: extraHosts,
    ssh: keyValuesAsList(),
    additional_contexts: chain(keyValues, values(buildContext)),
    secrets: each(under("source")),
    ulimits: values(under("single")),
  }),
);

/** `ssh` is a list of `id[=path]` or a mapping. */
function keyValuesAsList(): Canonical {
  return (node) => {
    if (node.kind === "scalar" && node.value !== null) return listNode([node], node.at);
    if (node.kind !== "map") return node;
    const items = [...node.entries].map(([key, { value }]) => scalarNode(isNull(value) ? key : `${key}=${textOf(value) ?? ""}`, value.at));
    return listNode(items, node.at, node.tag);
  };
}

const healthTest: Canonical = (node) => {
  if (node.kind !== "scalar" || node.value === null) return node;
  return listNode([scalarNode("CMD-SHELL", node.at), node], node.at, node.tag);
};

const gpus: Canonical = (node) => {
  if (textOf(node) !== "all") return node;
  return listNode([mapNode([["count", scalarNode("all", node.at)]], node.at)], node.at, node.tag);
};

export const canonicalService = fields({
  annotations: keyValues,
  build,
  configs: each(under("source")),
  depends_on: dependencies,
  deploy: fields({ labels: keyValues }),
  devices: deviceList,
  dns: oneOrMore,
  dns_search: oneOrMore,
  env_file: chain(oneOrMore, each(chain(under("path"), fields({ path: filePath })))),
  environment: keyValues,
  extends: chain(under("service"), fields({ file: filePath })),
  extra_hosts: extraHosts,
  gpus,
  healthcheck: fields({ test: healthTest }),
  label_file: chain(oneOrMore, each(filePath)),
  labels: keyValues,
  networks: names,
  ports: portList,
  post_start: each(fields({ environment: keyValues })),
  pre_stop: each(fields({ environment: keyValues })),
  secrets: each(under("source")),
  sysctls: keyValues,
  tmpfs: oneOrMore,
  ulimits: values(under("single")),
  volumes: volumeList,
});

/** The old form `external: {name: x}` as `external: true` and `name: x`. */
const external: Canonical = (node) => {
  const value = child(node, "external");
  if (node.kind !== "map" || value?.kind !== "map") return node;
  const name = child(value, "name");
  const flagged = withChild(node, "external", scalarNode(true, value.at));
  return name === undefined ? flagged : withChild(flagged, "name", name);
};

const labelled = chain(external, fields({ labels: keyValues }));
const fileObject = chain(labelled, fields({ file: filePath }));

const include = chain(oneOrMore, each(chain(under("path"), fields({ path: oneOrMore, env_file: oneOrMore, project_directory: filePath }))));

/** Every short form of a whole file as its long form, every relative path as an absolute one. */
export const canonicalFile = fields({
  services: values(canonicalService),
  networks: values(labelled),
  volumes: values(labelled),
  secrets: values(fileObject),
  configs: values(fileObject),
  include,
});
