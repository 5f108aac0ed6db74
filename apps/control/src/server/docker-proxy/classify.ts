import type { Action } from "@flotilla/services";

export type DockerCall = {
  action: Action;
  kind: "host" | "container" | "image" | "volume" | "network";
  /** Object of the call as the path names it; "" for the host itself. */
  id: string;
};

type Route = { methods: string; template: string; path: RegExp; action: Action; kind: DockerCall["kind"] };

const ID = "([^/]+)";
/** Image names have slashes. */
const NAME = "(.+?)";

const route = (methods: string, path: string, rest: { action: Action; kind: DockerCall["kind"] }): Route => ({
  methods,
  template: path,
  path: new RegExp(`^${path}$`),
  ...rest,
});

/**
 * Every call of the Docker Engine API that goes through, with the right that it needs: the strongest effect that it can
 * have, not the first one. What is not here is refused.
 */
const ROUTES: readonly Route[] = [
  route("GET HEAD", "/_ping", { action: "system.read", kind: "host" }),
  route("GET", "/(?:version|info|system/df)", { action: "system.read", kind: "host" }),
  route("GET", "/events", { action: "event.read", kind: "host" }),
  route("POST", "/auth", { action: "system.read", kind: "host" }),

  route("GET", "/containers/json", { action: "container.read", kind: "host" }),
  route("POST", "/containers/create", { action: "container.create", kind: "host" }),
  route("POST", "/containers/prune", { action: "container.remove", kind: "host" }),
  route("GET", `/containers/${ID}/(?:json|stats)`, { action: "container.read", kind: "container" }),
  route("GET", `/containers/${ID}/top`, { action: "container.processes", kind: "container" }),
  route("GET", `/containers/${ID}/changes`, { action: "container.files", kind: "container" }),
  route("GET", `/containers/${ID}/logs`, { action: "container.logs", kind: "container" }),
  route("GET HEAD", `/containers/${ID}/archive`, { action: "container.files", kind: "container" }),
  route("GET", `/containers/${ID}/export`, { action: "container.files", kind: "container" }),
  route("PUT", `/containers/${ID}/archive`, { action: "container.writeFiles", kind: "container" }),
  route("POST", `/containers/${ID}/(?:start|stop|restart|kill|pause|unpause)`, { action: "container.change", kind: "container" }),
  route("POST", `/containers/${ID}/(?:rename|update)`, { action: "container.update", kind: "container" }),
  route("POST", `/containers/${ID}/wait`, { action: "container.read", kind: "container" }),
  route("POST", `/containers/${ID}/(?:attach|resize)`, { action: "container.attach", kind: "container" }),
  route("POST", `/containers/${ID}/exec`, { action: "container.exec", kind: "container" }),
  route("POST", `/exec/${ID}/(?:start|resize)`, { action: "container.exec", kind: "container" }),
  route("GET", `/exec/${ID}/json`, { action: "container.readExec", kind: "container" }),
  route("DELETE", `/containers/${ID}`, { action: "container.remove", kind: "container" }),
  // `docker commit` makes an image of a container's files.
  route("POST", "/commit", { action: "image.commit", kind: "host" }),

  route("GET", "/images/(?:json|search)", { action: "image.read", kind: "host" }),
  route("GET", "/images/get", { action: "image.save", kind: "host" }),
  route("POST", "/images/(?:create|load)", { action: "image.change", kind: "host" }),
  route("POST", "/images/prune", { action: "image.remove", kind: "host" }),
  route("POST", "/build/prune", { action: "image.remove", kind: "host" }),
  route("POST", "/build", { action: "image.build", kind: "host" }),
  route("GET", `/images/${NAME}/(?:json|history)`, { action: "image.read", kind: "image" }),
  route("GET", `/images/${NAME}/get`, { action: "image.save", kind: "image" }),
  route("GET", `/distribution/${NAME}/json`, { action: "image.read", kind: "image" }),
  route("POST", `/images/${NAME}/tag`, { action: "image.tag", kind: "image" }),
  route("POST", `/images/${NAME}/push`, { action: "image.push", kind: "image" }),
  route("DELETE", `/images/${NAME}`, { action: "image.remove", kind: "image" }),

  route("GET", "/volumes", { action: "volume.read", kind: "host" }),
  route("POST", "/volumes/create", { action: "volume.change", kind: "host" }),
  route("POST", "/volumes/prune", { action: "volume.remove", kind: "host" }),
  route("GET", `/volumes/${ID}`, { action: "volume.read", kind: "volume" }),
  route("DELETE", `/volumes/${ID}`, { action: "volume.remove", kind: "volume" }),

  route("GET", "/networks", { action: "network.read", kind: "host" }),
  route("POST", "/networks/create", { action: "network.change", kind: "host" }),
  route("POST", "/networks/prune", { action: "network.remove", kind: "host" }),
  route("POST", `/networks/${ID}/(?:connect|disconnect)`, { action: "network.change", kind: "network" }),
  route("GET", `/networks/${ID}`, { action: "network.read", kind: "network" }),
  route("DELETE", `/networks/${ID}`, { action: "network.remove", kind: "network" }),
];

/** Every call that goes through, with an example of its path: for the test that tries each as everybody. */
export function listDockerRoutes(): { method: string; path: string; action: Action }[] {
  return ROUTES.flatMap(({ methods, template, action }) => {
    const [, before = "", words = "", after = ""] = /^(.*?)\(\?:([^)]*)\)(.*)$/.exec(template) ?? [];
    const templates = words === "" ? [template] : words.split("|").map((word) => `${before}${word}${after}`);
    const paths = templates.map((path) => path.replace(ID, "c1").replace(NAME, "web:1"));
    return methods.split(" ").flatMap((method) => paths.map((path) => ({ method, path, action })));
  });
}

/**
 * What a call is about, or undefined for one that is not known: it is refused. `path` is as it was sent, without query;
 * `query` with its question mark matters to one call, which is two: `docker pull` and `docker import`.
 * A path that a later reader could understand differently (dot segments, encoded slashes, double slashes) is not known.
 */
export function classifyDockerCall(method: string, path: string, query = ""): DockerCall | undefined {
  const bare = path.replace(/^\/v\d{1,2}\.\d{1,3}(?=\/)/, "");
  if (!isPlain(bare)) return undefined;
  for (const { methods, path: pattern, action, kind } of ROUTES) {
    if (!methods.split(" ").includes(method)) continue;
    const match = pattern.exec(bare);
    if (match === null) continue;
    return { action: isPull(bare, query) ? "image.pull" : action, kind, id: decodeURIComponent(match[1] ?? "") };
  }
  return undefined;
}

function isPull(path: string, query: string): boolean {
  if (path !== "/images/create") return false;
  const names = [...new URLSearchParams(query).keys()].map((name) => name.toLowerCase());
  return names.includes("fromimage") && !names.includes("fromsrc");
}

function isPlain(path: string): boolean {
  if (!/^\/[A-Za-z0-9._~%:@/+=,-]*$/.test(path) || path.includes("//") || /%(?![0-9a-fA-F]{2})/.test(path)) return false;
  if (/%(2f|5c|00|0a|0d|2e)/i.test(path))
    return (
      /^\/(images|distribution)\//.test(path) && /^[^%]*(%2f[^%]*)*$/i.test(path) && !/\/\.{1,2}(\/|$)/.test(path.replace(/%2f/gi, "/"))
    );
  return !/\/\.{1,2}(\/|$)/.test(path);
}
