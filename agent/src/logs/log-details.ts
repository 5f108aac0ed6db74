import type { ContainerView } from "../engine/containers-port.ts";

/**
 * What `docker logs --details` puts before a line: the labels and variables that `--log-opt labels=…` and `env=…` name,
 * as `key=value` joined by commas, and a space.
 */
export function formatLogDetails(view: Pick<ContainerView, "hostConfig" | "labels" | "config">): string {
  const options = view.hostConfig.LogConfig.Config;
  const labels = names(options["labels"]).map((name) => [name, view.labels[name]] as const);
  const environment = new Map((view.config.Env ?? []).map((entry) => splitOnce(entry)));
  const variables = names(options["env"]).map((name) => [name, environment.get(name)] as const);
  const pairs = [...labels, ...variables].flatMap(([key, value]) => (value === undefined ? [] : [`${quote(key)}=${quote(value)}`]));
  return `${pairs.sort().join(",")} `;
}

function names(list: string | undefined): string[] {
  return (list ?? "").split(",").filter((name) => name !== "");
}

function splitOnce(entry: string): [string, string] {
  const equals = entry.indexOf("=");
  return equals < 0 ? [entry, ""] : [entry.slice(0, equals), entry.slice(equals + 1)];
}

/** As a query string quotes: a value with a comma must not look like two. */
function quote(text: string): string {
  return encodeURIComponent(text).replaceAll("%20", "+");
}
