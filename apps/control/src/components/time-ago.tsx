"use client";

import { createContext, type ReactNode, useContext, useEffect, useState } from "react";
import { useLocale } from "use-intl";
import { formatAgo, formatDuration, formatExact } from "@/lib/format.ts";

const NowContext = createContext(0);
const TICK_MS = 5_000;

/** One clock for the page: all ages on it move together. */
export function NowProvider({ children }: { children: ReactNode }): ReactNode {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), TICK_MS);
    return () => clearInterval(timer);
  }, []);
  return <NowContext value={now}>{children}</NowContext>;
}

export function useNow(): number {
  return useContext(NowContext);
}

/** An age, with the exact time on hover. `time` in milliseconds since 1970. */
export function TimeAgo({ time, className }: { time: number; className?: string }): ReactNode {
  const locale = useLocale();
  const now = useNow();
  return (
    <time dateTime={new Date(time).toISOString()} title={formatExact(time, locale)} className={className} suppressHydrationWarning>
      {formatAgo(time, now, locale)}
    </time>
  );
}

/** How long something runs since `since`. */
export function Uptime({ since }: { since: number }): ReactNode {
  return <span className="tnum">{formatDuration(Math.max(0, useNow() - since))}</span>;
}
