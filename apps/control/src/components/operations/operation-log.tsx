"use client";

import { type ReactNode, useEffect, useRef } from "react";
import { useTranslations } from "use-intl";
import { LogText } from "@/components/logs/log-text.tsx";

const SHOWN_LINES = 1_000;

/** The log of a build, or a transfer's words. It follows its end until the reader scrolls away from it. */
export function OperationLog({ lines, isEmptyHint }: { lines: readonly string[]; isEmptyHint: boolean }): ReactNode {
  const t = useTranslations("operations");
  const box = useRef<HTMLDivElement>(null);
  const isAtEnd = useRef(true);
  useEffect(() => {
    if (isAtEnd.current) box.current?.scrollTo({ top: box.current.scrollHeight });
  }, [lines]);
  const shown = lines.slice(-SHOWN_LINES);
  return (
    <div
      ref={box}
      role="log"
      aria-label={t("log")}
      tabIndex={0}
      onScroll={({ currentTarget: box }) => {
        isAtEnd.current = box.scrollHeight - box.scrollTop - box.clientHeight < 30;
      }}
      className="max-h-[50dvh] overflow-auto border-t px-3 py-2 font-mono text-xs leading-5"
    >
      {shown.length === 0 && isEmptyHint ? <p className="font-sans text-muted">{t("sending")}</p> : null}
      {shown.length < lines.length ? <p className="font-sans text-muted">{t("earlier", { count: lines.length - shown.length })}</p> : null}
      {shown.map((line, index) => (
        <div key={lines.length - shown.length + index} className="break-all whitespace-pre-wrap">
          <LogText text={line} search="" />
          {line === "" ? " " : null}
        </div>
      ))}
    </div>
  );
}
