import { repositoryHref } from "./registry-path.ts";

/** Where the object of an audit row is shown, or null when it has no page (any more). Objects on hosts are named `host/name`. */
export function activityHref(action: string, object: { kind: string; name: string }): string | null {
  if (/\.(remove|delete|revoke)$/.test(action)) return null;
  const at = object.name.indexOf("/");
  const host = at > 0 ? encodeURIComponent(object.name.slice(0, at)) : "";
  const rest = at > 0 ? encodeURIComponent(object.name.slice(at + 1)) : "";
  switch (object.kind) {
    case "host":
      return object.name === "" ? null : `/hosts/${encodeURIComponent(object.name)}`;
    case "container":
      return host === "" || rest === "" ? null : `/containers/${host}/${rest}`;
    case "image":
      return host === "" || rest === "" ? null : `/images/${host}/${rest}`;
    case "volume":
      return host === "" || rest === "" ? null : `/volumes/${host}/${rest}`;
    case "repository":
      return repositoryHref(object.name);
    case "registry":
      return "/registry";
    default:
      return null;
  }
}

/** An object as a reader names it: ids of 64 digits are cut as Docker cuts them. */
export function activityObject(name: string): string {
  return name.replace(/(?:sha256:)?([0-9a-f]{12})[0-9a-f]{52}/g, "$1");
}

/** The short id of a container that is named by its name; null when its name says it already, or it has none. */
export function activityObjectId(object: { kind: string; id: string; name: string }): string | null {
  const id = /^([0-9a-f]{12})[0-9a-f]{52}$/.exec(object.id)?.[1];
  return object.kind !== "container" || id === undefined || object.name.includes(id) ? null : id;
}

/** The facts of an audit row in one line: `message` first, then the others as `name=value`; empty ones are left out. */
export function activityDetail(detail: Readonly<Record<string, unknown>> | null): string {
  if (detail === null) return "";
  const { message, ...rest } = detail;
  const facts = Object.entries(rest)
    .filter(([, value]) => value !== null && value !== "")
    .map(([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`);
  return [...(typeof message === "string" ? [message] : []), ...facts].join(" · ");
}
