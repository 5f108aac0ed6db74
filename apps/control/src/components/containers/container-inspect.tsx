"use client";

import { type ReactNode, useDeferredValue, useMemo, useState } from "react";
import { useTranslations } from "use-intl";
import { CopyButton } from "@/components/ui/copy-button.tsx";
import { SearchField } from "@/components/ui/search-field.tsx";
import { findMatches, markRanges } from "@/lib/log-buffer.ts";

/** The engine's whole answer, as `docker inspect` prints it; the search marks and keeps the lines that match. */
export function ContainerInspect({ raw }: { raw: unknown }): ReactNode {
  const t = useTranslations("container.inspect");
  const [search, setSearch] = useState("");
  const wanted = useDeferredValue(search);
  const text = useMemo(() => JSON.stringify(raw, null, 2), [raw]);
  const lines = useMemo(
    () =>
      text.split("\n").flatMap((line, index) => {
        const ranges = findMatches(line, wanted);
        return wanted !== "" && ranges.length === 0 ? [] : [{ number: index + 1, parts: markRanges(line, 0, ranges) }];
      }),
    [text, wanted],
  );
  return (
    <div className="space-y-3">
      <div className="flex items-center gap-2">
        <SearchField label={t("search")} value={search} onChange={setSearch} className="min-w-0 flex-1 sm:max-w-72" />
        <span role="status" className="tnum text-xs text-muted">
          {wanted === "" ? "" : t("matches", { count: lines.length })}
        </span>
        <CopyButton text={text} label={t("copy")} className="ml-auto" />
      </div>
      <pre tabIndex={0} className="overflow-x-auto rounded-lg border bg-panel py-2 font-mono text-xs leading-5">
        {lines.map(({ number, parts }) => (
          <div key={number} className="flex px-3">
            <span aria-hidden className="tnum mr-4 w-8 shrink-0 text-right text-faint select-none">
              {number}
            </span>
            <code className="whitespace-pre-wrap break-all">
              {parts.map((part, index) => (part.isMatch ? <mark key={index}>{part.text}</mark> : part.text))}
            </code>
          </div>
        ))}
      </pre>
    </div>
  );
}
