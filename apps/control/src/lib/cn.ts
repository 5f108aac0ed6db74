import { type ClassValue, clsx } from "clsx";
import { extendTailwindMerge } from "tailwind-merge";

const merge = extendTailwindMerge({ extend: { classGroups: { "font-family": [{ font: ["sans", "mono"] }] } } });

/** Joins class names; of two that set the same property the later one stays. */
export function cn(...values: ClassValue[]): string {
  return merge(clsx(values));
}
