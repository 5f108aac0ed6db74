import type { Me } from "@/trpc/types.ts";
import type { Right } from "@/lib/rights.ts";

/** Whether somebody has a right in their team and, where a host is named that another team lends it, by that grant too. */
export type May = (right: Right, host?: string) => boolean;

/** Nobody is known yet: nothing is offered. */
export const MAY_NOTHING: May = () => false;

/**
 * What the signed-in person may do, as the authorizer decides it. Pages only leave out what would be refused: the server decides.
 * A host is named as addresses name it, by its name or its id.
 */
export function mayOf({ rights, lent }: Pick<Me, "rights" | "lent">): May {
  const own = new Set(rights);
  const granted = new Map(lent.flatMap(({ id, name, rights: given }) => [id, name].map((key) => [key, new Set(given)] as const)));
  return (right, host) => own.has(right) && (host === undefined || (granted.get(host)?.has(right) ?? true));
}

/** Rights of pages, by the beginning of their address: one of each line is enough. Pages that are not here are everybody's. */
const PAGES: readonly (readonly [path: string, rights: readonly [Right, ...Right[]]])[] = [
  ["/stacks", ["stack.read"]],
  ["/deployments", ["stack.read"]],
  ["/deploy", ["stack.deploy"]],
  // A plan is of files, which are secrets.
  ["/deploy", ["stack.inspect"]],
  ["/containers", ["container.read"]],
  ["/run", ["container.run"]],
  ["/hosts", ["host.read"]],
  ["/images", ["image.read"]],
  ["/volumes", ["volume.read"]],
  ["/networks", ["network.read"]],
  ["/secrets", ["secret.read", "config.read"]],
  ["/registry", ["registry.pull"]],
  ["/activity", ["audit.read"]],
];

/** The right that a page needs and somebody lacks; undefined for a page that they may open. */
export function rightLackedFor(pathname: string, may: May): Right | undefined {
  const isOf = (path: string): boolean => pathname === path || pathname.startsWith(`${path}/`);
  return PAGES.find(([path, rights]) => isOf(path) && !rights.some((right) => may(right)))?.[1][0];
}
