/** Where a log is scrolled to, in pixels. `topBefore`: where it was at the scroll before. */
export type LogScroll = { top: number; topBefore: number; height: number; visibleHeight: number };

/** How far from the end still counts as being at it: a line and a half. */
const END_SLACK = 30;

/**
 * What a scroll of a log means: its reader is at the end, went away from it, or neither. Lines that come in faster than they are drawn put
 * the end out of sight without anybody having scrolled: only who goes up goes away.
 */
export function readLogScroll({ top, topBefore, height, visibleHeight }: LogScroll): "end" | "away" | "neither" {
  if (height - top - visibleHeight < END_SLACK) return "end";
  return top < topBefore ? "away" : "neither";
}
