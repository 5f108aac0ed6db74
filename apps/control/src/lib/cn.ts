import { type ClassValue, clsx } from "clsx";

/**
 * What our components' own classes set, so that a class given from outside replaces the one inside. Only groups that are given from
 * outside somewhere; a utility that is in none of them is simply added.
 */
const GROUPS: readonly (readonly [string, RegExp])[] = [
  ["width", /^w-/],
  ["min-width", /^min-w-/],
  ["max-width", /^max-w-/],
  ["height", /^h-/],
  ["max-height", /^max-h-/],
  ["size", /^size-/],
  ["padding-x", /^px-/],
  ["padding-y", /^py-/],
  ["padding-left", /^pl-/],
  ["padding", /^p-/],
  ["margin", /^-?m-/],
  ["margin-y", /^-?my-/],
  ["font-weight", /^font-(normal|medium|semibold|bold)$/],
  ["font-family", /^font-(sans|mono)$/],
  ["white-space", /^whitespace-/],
  ["display", /^(block|inline-block|inline-flex|inline|flex|grid|inline-grid|hidden|contents)$/],
  ["text-size", /^text-(xs|sm|base|lg|xl)$/],
  ["text-color", /^text-(ink|muted|faint|on-inverse|ok|warn|bad|info|white|canvas)$/],
  ["background", /^bg-/],
  ["border-color", /^border-(line|line-strong|transparent|ink|bad|info)(\/\d+)?$/],
  ["radius", /^rounded(-|$)/],
  ["cursor", /^cursor-/],
];

/** Joins class names; of two that set the same property under the same condition the later one stays. */
export function cn(...values: ClassValue[]): string {
  const kept = new Map<string, string>();
  for (const name of clsx(...values).split(" ")) {
    const key = keyOf(name);
    kept.delete(key);
    kept.set(key, name);
  }
  return [...kept.values()].join(" ").trim();
}

function keyOf(name: string): string {
  const at = name.lastIndexOf(":");
  const utility = name.slice(at + 1);
  const group = GROUPS.find(([, pattern]) => pattern.test(utility))?.[0];
  return group === undefined ? name : `${name.slice(0, at + 1)}${group}`;
}
