"use client";

import { ChevronDown, X } from "lucide-react";
import { Link } from "@/components/ui/link.tsx";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { OperationLog } from "@/components/operations/operation-log.tsx";
import { useOperationActions } from "@/components/operations/operations-provider.tsx";
import { useNow } from "@/components/time-ago.tsx";
import { Button } from "@/components/ui/button.tsx";
import { Badge } from "@/components/ui/status-dot.tsx";
import { cn } from "@/lib/cn.ts";
import type { Tone } from "@/lib/container-state.ts";
import { formatBytes, formatDuration } from "@/lib/format.ts";
import { type LayerProgress, type Operation, percentOf } from "@/lib/operations.ts";
import { transferHint } from "@/lib/transfer-hint.ts";

const TONES: Readonly<Record<Operation["state"], Tone>> = { running: "info", done: "ok", failed: "bad", cancelled: "idle" };

/** One operation: what, where, how far; unfolded its layers or its log, and after a failure the cause with the next step. */
export function OperationView({
  operation,
  isUnfolded,
  onUnfold,
}: {
  operation: Operation;
  isUnfolded: boolean;
  onUnfold: () => void;
}): ReactNode {
  const t = useTranslations("operations");
  const { cancel, setOpen } = useOperationActions();
  const now = useNow();
  const { kind, subject, host, state, startedAt, endedAt, error, layers, lines } = operation;
  const percent = percentOf(operation);
  const isBuild = kind === "build";
  return (
    <section aria-label={t(`kinds.${kind}`, { subject })} className="overflow-hidden rounded-lg border bg-panel">
      <header className="flex items-center gap-2 px-3 py-2">
        <button type="button" onClick={onUnfold} aria-expanded={isUnfolded} className="flex min-w-0 flex-1 items-center gap-2 text-left">
          <ChevronDown aria-hidden className={cn("size-4 shrink-0 text-muted transition-transform", !isUnfolded && "-rotate-90")} />
          <span className="min-w-0">
            <span className="block truncate text-sm font-medium">{t(`kinds.${kind}`, { subject })}</span>
            <span className="tnum block truncate text-xs text-muted">
              {host} · {formatDuration(Math.max(0, (endedAt ?? now) - startedAt))}
              {percent === null || state !== "running" || isBuild ? "" : ` · ${Math.floor(percent)}%`}
            </span>
          </span>
        </button>
        {/* Only the state is spoken when it changes, not each step on the way. */}
        <span role="status">
          <Badge tone={TONES[state]}>{t(`states.${state}`)}</Badge>
        </span>
        {state === "running" ? (
          <Button variant="ghost" size="iconSm" aria-label={t("cancel", { subject })} onClick={() => cancel(operation.id)}>
            <X />
          </Button>
        ) : null}
      </header>
      {state === "running" && percent !== null ? <Bar percent={percent} label={t(`kinds.${kind}`, { subject })} /> : null}
      {error === null ? null : <Failure message={error} isPull={kind === "pull"} />}
      {isUnfolded && layers.length > 0 ? <Layers layers={layers} /> : null}
      {isUnfolded && (isBuild || lines.length > 0) ? <OperationLog lines={lines} isEmptyHint={isBuild && state === "running"} /> : null}
      {isUnfolded && state === "done" && kind !== "push" ? (
        <footer className="flex gap-2 border-t px-3 py-2">
          <Button asChild size="sm" variant="primary" onClick={() => setOpen(false)}>
            <Link href={`/run?host=${encodeURIComponent(host)}&image=${encodeURIComponent(subject)}`}>{t("run")}</Link>
          </Button>
          <Button asChild size="sm" onClick={() => setOpen(false)}>
            <Link href={`/images/${encodeURIComponent(host)}/${encodeURIComponent(subject)}`}>{t("open")}</Link>
          </Button>
        </footer>
      ) : null}
    </section>
  );
}

function Bar({ percent, label }: { percent: number; label: string }): ReactNode {
  return (
    <div
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(percent)}
      className="h-1 overflow-hidden bg-active"
    >
      <div className="h-full bg-info transition-[width] duration-200" style={{ width: `${percent}%` }} />
    </div>
  );
}

function Failure({ message, isPull }: { message: string; isPull: boolean }): ReactNode {
  const t = useTranslations("operations.hints");
  const hint = transferHint(message);
  return (
    <div role="alert" className="border-t bg-bad-soft px-3 py-2 text-sm">
      <p className="break-words whitespace-pre-wrap text-bad">{message}</p>
      {hint === null ? null : <p className="mt-1 text-muted">{t(hint === "name" && !isPull ? "nameOther" : hint)}</p>}
    </div>
  );
}

function Layers({ layers }: { layers: readonly LayerProgress[] }): ReactNode {
  const t = useTranslations("operations");
  return (
    <ul aria-label={t("layers")} className="max-h-72 overflow-y-auto border-t py-1">
      {layers.map((layer) => {
        const { current, total } = layer;
        return (
          <li key={layer.id} className="grid grid-cols-[6.5rem_minmax(0,1fr)_auto] items-center gap-3 px-3 py-1 text-xs">
            <code className="truncate font-mono text-muted">{layer.id}</code>
            <span className="truncate">{layer.status}</span>
            <span className="tnum text-right text-muted">
              {current === null ? "" : total === null ? formatBytes(current) : `${formatBytes(current)} / ${formatBytes(total)}`}
            </span>
            {current === null || total === null ? null : (
              <span aria-hidden className="col-span-3 -mt-0.5 h-0.5 overflow-hidden rounded-full bg-active">
                <span className="block h-full bg-info" style={{ width: `${Math.min(100, (current / total) * 100)}%` }} />
              </span>
            )}
          </li>
        );
      })}
    </ul>
  );
}
