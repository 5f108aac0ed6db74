"use client";

import { useVirtualizer } from "@tanstack/react-virtual";
import { ArrowDown } from "lucide-react";
import { type ReactNode, useCallback, useDeferredValue, useEffect, useMemo, useRef, useState } from "react";
import { useLocale, useTranslations } from "use-intl";
import { LogText } from "@/components/logs/log-text.tsx";
import { LogToolbar, type LogSettings } from "@/components/logs/log-toolbar.tsx";
import { type LogFeed, useLogLines } from "@/components/logs/use-log-lines.ts";
import { Button } from "@/components/ui/button.tsx";
import { ErrorState } from "@/components/ui/states.tsx";
import { stripAnsi } from "@/lib/ansi.ts";
import { cn } from "@/lib/cn.ts";
import type { LogLine } from "@/lib/log-buffer.ts";
import { readLogScroll } from "@/lib/log-scroll.ts";

export type LogViewProps = {
  name: string;
  feed: LogFeed;
  /** A terminal has one stream. */
  hasStreams: boolean;
  /** Where the whole log is; null where there is no such thing. */
  downloadUrl: string | null;
};

const LINE_HEIGHT = 20;

/** A log: live, searched, in its own colours. It follows the end until the reader scrolls away from it. */
export function LogView({ name, feed, hasStreams, downloadUrl }: LogViewProps): ReactNode {
  const t = useTranslations("logs");
  const [settings, setSettings] = useState<LogSettings>({ stream: "all", withTime: false, isWrapped: true });
  const [search, setSearch] = useState("");
  const wanted = useDeferredValue(search);
  const [pausedAt, setPausedAt] = useState<number | null>(null);
  const log = useLogLines({ feed, isPaused: pausedAt !== null });
  const lines = useMemo(
    () => (settings.stream === "all" ? log.lines : log.lines.filter((line) => line.stream === settings.stream)),
    [log.lines, settings.stream],
  );
  const matches = useMemo(() => {
    const needle = wanted.toLowerCase();
    return needle === "" ? [] : lines.flatMap((line, index) => (stripAnsi(line.text).toLowerCase().includes(needle) ? [index] : []));
  }, [lines, wanted]);
  const [match, setMatch] = useState(0);

  const scroller = useRef<HTMLDivElement>(null);
  const topBefore = useRef(0);
  const virtualizer = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => LINE_HEIGHT,
    getItemKey: (index) => lines[index]?.id ?? index,
    overscan: 20,
  });
  useEffect(() => {
    if (pausedAt === null && lines.length > 0) virtualizer.scrollToIndex(lines.length - 1, { align: "end" });
  }, [lines, pausedAt, virtualizer]);

  const lastId = lines.at(-1)?.id ?? -1;
  const onScroll = useCallback(() => {
    const element = scroller.current;
    if (element === null) return;
    const { scrollTop: top, scrollHeight: height, clientHeight: visibleHeight } = element;
    const went = readLogScroll({ top, topBefore: topBefore.current, height, visibleHeight });
    topBefore.current = top;
    if (went !== "neither") setPausedAt((before) => (went === "end" ? null : (before ?? lastId)));
  }, [lastId]);
  const goToMatch = (step: number): void => {
    if (matches.length === 0) return;
    const next = (match + step + matches.length) % matches.length;
    setMatch(next);
    setPausedAt((before) => before ?? lastId);
    virtualizer.scrollToIndex(matches[next] ?? 0, { align: "center" });
  };

  return (
    <div className="space-y-3">
      <LogToolbar
        settings={settings}
        onSettings={setSettings}
        search={search}
        onSearch={(text) => {
          setSearch(text);
          setMatch(0);
        }}
        matches={matches.length}
        match={Math.min(match, Math.max(0, matches.length - 1))}
        onMatch={goToMatch}
        hasStreams={hasStreams}
        downloadUrl={downloadUrl}
        onClear={log.clear}
        status={log.status}
      />
      {log.status === "failed" ? <ErrorState title={t("failed")} message={log.error ?? ""} onRetry={log.retry} /> : null}
      <div className="relative">
        <div
          ref={scroller}
          onScroll={onScroll}
          role="log"
          aria-label={t("label", { name })}
          tabIndex={0}
          data-lines={lines.length}
          className="h-[max(20rem,calc(100dvh-17.5rem))] overflow-auto overscroll-contain rounded-lg border bg-panel py-2 font-mono text-xs"
        >
          {lines.length === 0 ? (
            <p className="px-3 py-1 font-sans text-sm text-muted">{log.status === "connecting" ? t("loading") : t("empty")}</p>
          ) : null}
          <div className={cn("relative", !settings.isWrapped && "w-max min-w-full")} style={{ height: virtualizer.getTotalSize() }}>
            {virtualizer.getVirtualItems().map((item) => {
              const line = lines[item.index];
              if (line === undefined) return null;
              return (
                <div
                  key={item.key}
                  data-index={item.index}
                  ref={virtualizer.measureElement}
                  className="absolute top-0 left-0 w-full"
                  style={{ transform: `translateY(${item.start}px)` }}
                >
                  <LogRow line={line} search={wanted} settings={settings} isMatch={matches.length > 0 && matches[match] === item.index} />
                </div>
              );
            })}
          </div>
        </div>
        {pausedAt === null ? null : (
          <Button
            size="sm"
            variant="primary"
            className="absolute bottom-3 left-1/2 -translate-x-1/2 shadow-lg"
            onClick={() => setPausedAt(null)}
          >
            <ArrowDown />
            {lastId > pausedAt ? t("newLines", { count: lastId - pausedAt }) : t("toEnd")}
          </Button>
        )}
      </div>
    </div>
  );
}

type LogRowProps = { line: LogLine; search: string; settings: LogSettings; isMatch: boolean };

function LogRow({ line, search, settings, isMatch }: LogRowProps): ReactNode {
  const locale = useLocale();
  const isError = line.stream === "stderr";
  return (
    <div
      className={cn("flex gap-3 px-3 leading-5 hover:bg-hover", isMatch && "bg-warn-soft", isError && "shadow-[inset_2px_0_0_var(--bad)]")}
    >
      {settings.withTime ? (
        <time dateTime={line.time} title={line.time} className="tnum shrink-0 text-faint select-none">
          {new Date(line.time).toLocaleTimeString(locale, { hour12: false, fractionalSecondDigits: 3 })}
        </time>
      ) : null}
      {line.source === undefined ? null : <SourceText source={line.source} />}
      <span className={cn("min-w-0", settings.isWrapped ? "break-all whitespace-pre-wrap" : "whitespace-pre")}>
        <LogText text={line.text} search={search} />
        {line.text === "" ? " " : null}
      </span>
    </div>
  );
}

/** Colours that are read well on both themes; which one a name has stays the same. */
const SOURCE_COLORS = ["--ansi-4", "--ansi-2", "--ansi-5", "--ansi-6", "--ansi-3"] as const;

function SourceText({ source }: { source: NonNullable<LogLine["source"]> }): ReactNode {
  const sum = source.name.split("").reduce((total, letter) => total + letter.charCodeAt(0), 0);
  return (
    <span
      title={`${source.name} · ${source.host}`}
      className="w-28 shrink-0 truncate select-none max-sm:w-16"
      style={{ color: `var(${SOURCE_COLORS[sum % SOURCE_COLORS.length]})` }}
    >
      {source.name}
      <span className="text-faint max-sm:hidden"> {source.host}</span>
    </span>
  );
}
