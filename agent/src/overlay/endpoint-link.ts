import type { NetworkState } from "@flotilla/protocol";
import type { RouterStack } from "../host/overlay-kernel.ts";
import { planContainerLink, planContainerObjects, planLink, type ContainerEnd } from "./endpoint-plan.ts";
import { planChanges } from "./router-plan.ts";

/**
 * Makes a container's link to its router, or completes it: both ends, addresses, routes. Idempotent, a few milliseconds,
 * synchronous. @returns whether the link is new: the router then has no route to it yet.
 */
export function ensureEndpointLink(
  state: NetworkState,
  end: ContainerEnd,
  stacks: { router: RouterStack; container: RouterStack },
): boolean {
  const { router, container } = stacks;
  const name = `eth${end.position}`;
  const near = router.findLink(end.endpoint.link);
  const far = container.findLink(name);
  const isNew = near === undefined || far === undefined || far.mac !== end.endpoint.mac || !near.isUp;
  if (isNew) {
    router.applyLinks([{ kind: "delete-link", name: end.endpoint.link }]);
    router.applyLinks(planLink(end));
  } else if (near.mtuBytes !== end.mtuBytes) {
    router.applyLinks([{ kind: "set-mtu", name: end.endpoint.link, mtuBytes: end.mtuBytes }]);
    container.applyLinks([{ kind: "set-mtu", name, mtuBytes: end.mtuBytes }]);
  }
  container.applyLinks(planContainerLink(end));
  // The end that came up first learns of its carrier later, by a queue of the kernel, and drops what is sent until then.
  // Asking for the link makes the kernel (since 6.8) do it now.
  router.findLink(end.endpoint.link);
  // A link that is new has nothing yet: no look at what there is.
  container.applyObjects(planChanges(planContainerObjects(state, end), isNew ? [] : container.objects(), false));
  // A net under a wrong MTU somewhere on the way: TCP finds out by itself.
  container.setSysctls([["net/ipv4/tcp_mtu_probing", "1"]]);
  return isNew;
}
