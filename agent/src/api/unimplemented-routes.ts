import { FlotillaError } from "@flotilla/core";
import { json, type Handler, type Route } from "./call.ts";

// What this engine does not have. Docker's own clients (system prune, info, compose) ask for some of it in passing and
// must get the answer that lets them go on: 503 and [] as an engine outside a swarm gives them, 501 with a sentence else.

const NO_SWARM =
  'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.';

const refuse =
  (code: "unavailable" | "not_implemented", message: string): Handler =>
  () => {
    throw new FlotillaError(code, message);
  };

const METHODS = ["GET", "POST", "PUT", "DELETE"] as const;

function everything(path: string, handler: Handler): Route[] {
  return METHODS.map((method) => ({ method, path, handler }));
}

const noSwarm = refuse("unavailable", NO_SWARM);
const noPlugins = refuse("not_implemented", "plugins are not supported: volume, network and log drivers are built in");
const noCheckpoints = refuse("not_implemented", "checkpoint and restore are not supported");

/** Routes of the families that are answered without being there. */
export const unimplementedRoutes: readonly Route[] = [
  ...["swarm", "nodes", "services", "tasks", "secrets", "configs"].flatMap((family) => [
    ...everything(`/${family}`, noSwarm),
    ...everything(`/${family}/:rest*`, noSwarm),
  ]),
  { method: "GET", path: "/plugins", handler: () => json([]) },
  ...everything("/plugins/:rest*", noPlugins),
  ...everything("/containers/:id/checkpoints", noCheckpoints),
  ...everything("/containers/:id/checkpoints/:rest*", noCheckpoints),
];
