"use client";

import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { formatBytes } from "@/lib/format.ts";
import type { UploadProgress } from "@/lib/upload-image.ts";

/** How far an upload is; after the last byte, what the engine does with it. */
export function UploadBar({ progress }: { progress: UploadProgress }): ReactNode {
  const t = useTranslations("images.upload");
  const percent = progress.totalBytes > 0 ? Math.min(100, (progress.sentBytes / progress.totalBytes) * 100) : 0;
  const isSent = percent >= 100;
  return (
    <div className="space-y-1.5">
      <div
        role="progressbar"
        aria-label={t("progress")}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(percent)}
        className="h-1.5 overflow-hidden rounded-full bg-active"
      >
        <div className={`h-full bg-ink transition-[width] ${isSent ? "animate-pulse" : ""}`} style={{ width: `${percent}%` }} />
      </div>
      <p className="tnum flex justify-between gap-3 text-xs text-muted">
        <span className="min-w-0 truncate">{isSent ? progress.status || t("unpacking") : t("sending")}</span>
        <span className="shrink-0">
          {formatBytes(progress.sentBytes)} / {formatBytes(progress.totalBytes)}
        </span>
      </p>
    </div>
  );
}
