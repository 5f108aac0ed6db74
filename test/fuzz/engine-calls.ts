// The Docker API of a whole agent, called at random in the name of a namespace that guard rails bind.
import type { TunnelAgent } from "../support/tunnel-agent.ts";
import type { Chaos } from "./chaos.ts";

/** Routes that would call others on the network, or say of themselves that they are not built. */
const LEFT_OUT = /^\/(auth|images\/search|distribution\/|swarm|nodes|services|tasks|secrets|configs|plugins|build)|\/push$|\/attach\/ws/;
const QUERY_KEYS = ["all", "filters", "limit", "size", "force", "v", "t", "signal", "path", "stdout", "tail", "since", "until", "stream", "one-shot", "h", "w", "name", "repo", "tag", "fromSrc", "changes", "condition", "ps_args", "type", "noprune", "names", "container", "verbose"]; // prettier-ignore
const FILTERS = ['{"label":["a"]}', '{"status":["running"]}', '{"dangling":["true"]}', '{"until":["1h"]}', "{", '{"a":1}'];
const BODY = {
  Image: "busybox",
  Cmd: ["true"],
  Name: "n1",
  Driver: "bridge",
  Labels: { a: "b" },
  IPAM: { Config: [{ Subnet: "10.250.0.0/24" }] },
  Container: "c1",
  Detach: true,
  Tty: false,
  HostConfig: { Binds: ["vol:/v"], NetworkMode: "bridge", PortBindings: { "80/tcp": [{ HostPort: "" }] }, AutoRemove: false },
  EndpointConfig: { Aliases: ["x"] },
  RestartPolicy: { Name: "no" },
};

export type EngineCall = { target: string; body: unknown };

/** One call of a route of the engine, with objects that are there or are not. */
export function chooseCall(host: TunnelAgent, chaos: Chaos): EngineCall {
  const route = chaos.pick(host.agent.routes.filter(({ path }) => !LEFT_OUT.test(path)));
  const ref = (): string => chaos.pick(["c1", "c2", "busybox", "vol", "n1", "bridge", chaos.hostile()]);
  const path = route.path.replaceAll(/:\w+\*?/g, () => encodeURIComponent(wellFormed(ref())) || "x");
  const query = new URLSearchParams();
  for (let keys = chaos.int(4); keys > 0; keys -= 1) {
    const key = chaos.pick(QUERY_KEYS);
    query.append(
      key,
      wellFormed(key === "filters" ? chaos.mutateText(chaos.pick(FILTERS)) : chaos.pick(["1", "0", "c1", "/", chaos.hostile()])),
    );
  }
  // A pull would ask a registry; a name that no registry has is refused before.
  if (route.path === "/images/create") query.set("fromSrc", "-");
  const prefix = chaos.chance(0.2) ? chaos.pick(["/v1.47", "/v1.24", "/v9.99", "/v1"]) : "";
  const hasBody = route.method === "POST" || route.method === "PUT";
  const body = !hasBody ? undefined : chaos.chance(0.15) ? chaos.bytes(chaos.int(600)) : chaos.mutateJson(BODY);
  return { target: `${route.method} ${prefix}${path}?${query.toString()}`, body };
}

/** `wrong`: what a call was answered that no call may be, a 5xx. */
export async function callAtRandom(
  host: TunnelAgent,
  namespace: string,
  call: EngineCall,
): Promise<{ status: number; wrong: string | undefined }> {
  const { status, text } = await host.peek(namespace, call.target, call.body === undefined ? {} : { body: call.body });
  if (status < 500 || status === 501) return { status, wrong: undefined };
  return { status, wrong: `${call.target} ${JSON.stringify(call.body)?.slice(0, 2_000) ?? ""}: ${status} ${text}` };
}

/** Lone surrogates have no UTF-8. */
const wellFormed = (text: string): string => text.toWellFormed();
