import type { NetworkState } from "@flotilla/protocol";
import { errnoOf } from "../host/libc.ts";
import type { NetworkStack } from "../host/network-kernel.ts";
import type { RouterStack } from "../host/overlay-kernel.ts";
import type { Sysctls } from "../host/sysctls.ts";
import { planContainerLink, planContainerObjects, planLink, type ContainerEnd } from "./endpoint-plan.ts";
import { planChanges } from "./router-plan.ts";

/** What the namespace of a container needs before its first link: a net under a wrong MTU somewhere on the way, as TCP then finds out by itself. */
export const CONTAINER_SYSCTLS: Sysctls = [["net/ipv4/tcp_mtu_probing", "1"]];

/** @property isFresh whether the container's namespace is of this very moment, so that nothing is in it. */
export type EndpointStacks = {
  router: RouterStack;
  container: Pick<NetworkStack, "apply" | "findLink" | "applyObjects" | "objects">;
  isFresh: boolean;
};

/**
 * Makes a container's link to its router, or completes it: both ends, addresses, routes. Idempotent, a few milliseconds,
 * synchronous. @returns whether the link is new: the router then has no route to it yet.
 */
export function ensureEndpointLink(state: NetworkState, end: ContainerEnd, stacks: EndpointStacks): boolean {
  const { router, container, isFresh } = stacks;
  const isNew = isFresh || !isComplete(end, stacks);
  if (isNew) makeLink(end, router, isFresh);
  container.apply(planContainerLink(end));
  // The end that came up first learns of its carrier later, by a queue of the kernel, and drops what is sent until then.
  // Asking for the link makes the kernel (since 6.8) do it now. For one that is new its routes ask, which come next.
  if (!isNew) router.findLink(end.endpoint.link);
  // A link that is new has nothing yet: no look at what there is.
  container.applyObjects(planChanges(planContainerObjects(state, end), isNew ? [] : container.objects(), false));
  return isNew;
}

/** Also puts the MTU right of a link that is otherwise as it should be. */
function isComplete(end: ContainerEnd, { router, container }: EndpointStacks): boolean {
  const { link, mac } = end.endpoint;
  const name = `eth${end.position}`;
  const near = router.findLink(link);
  const far = container.findLink(name);
  if (near === undefined || far === undefined || far.mac !== mac || !near.isUp) return false;
  if (near.mtuBytes !== end.mtuBytes) {
    router.applyLinks([{ kind: "set-mtu", name: link, mtuBytes: end.mtuBytes }]);
    container.apply([{ kind: "set-mtu", name, mtuBytes: end.mtuBytes }]);
  }
  return true;
}

/** @param isFresh whether the router has most likely nothing of this name: then it is not looked for first. */
function makeLink(end: ContainerEnd, router: RouterStack, isFresh: boolean): void {
  if (isFresh) {
    try {
      router.applyLinks(planLink(end));
      return;
    } catch (error) {
      // One whose container's namespace lost its name and lives on.
      if (errnoOf(error) !== "EEXIST") throw error;
    }
  }
  router.applyLinks([{ kind: "delete-link", name: end.endpoint.link }, ...planLink(end)]);
}
