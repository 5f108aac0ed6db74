"use client";

import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { SearchField } from "@/components/ui/search-field.tsx";
import { Segmented } from "@/components/ui/segmented.tsx";
import { cn } from "@/lib/cn.ts";
import { formatBytes } from "@/lib/format.ts";
import { filterFiles, KIND_COLOR, KIND_SIGN } from "@/lib/layer-files.ts";
import type { LayerDetail } from "@/trpc/types.ts";

const KINDS = ["all", "added", "changed", "removed"] as const;

/** The largest files that a layer adds, changes and removes. */
export function LayerFiles({ layer }: { layer: LayerDetail }): ReactNode {
  const t = useTranslations("image.files");
  const [text, setText] = useState("");
  const [kind, setKind] = useState<(typeof KINDS)[number]>("all");
  const files = filterFiles(layer.entries, { text, kind: kind === "all" ? null : kind });
  if (layer.entryCount === 0) return <p className="border-t bg-canvas px-4 py-3 text-sm text-muted">{t("noFiles")}</p>;
  return (
    <div className="space-y-2 border-t bg-canvas py-2.5 pr-4 pl-3 sm:pl-11">
      <div className="flex flex-wrap items-center gap-2">
        <SearchField label={t("filter")} value={text} onChange={setText} className="min-w-0 flex-1 max-sm:basis-full sm:max-w-72" />
        <Segmented
          label={t("kind")}
          value={kind}
          onChange={setKind}
          items={KINDS.map((id) => ({ id, label: t(id), count: id === "all" ? undefined : layer[id].files }))}
        />
        {layer.entryCount > layer.entries.length ? (
          <span className="tnum text-xs text-muted sm:ml-auto">
            {t("largest", { shown: layer.entries.length, total: layer.entryCount })}
          </span>
        ) : null}
      </div>
      {files.length === 0 ? (
        <p className="py-2 text-sm text-muted">{t("none")}</p>
      ) : (
        <div className="max-h-96 overflow-y-auto rounded-md border bg-panel" tabIndex={0} role="region" aria-label={t("title")}>
          <FileTable files={files} />
        </div>
      )}
    </div>
  );
}

function FileTable({ files }: { files: LayerDetail["entries"] }): ReactNode {
  const t = useTranslations("image.files");
  return (
    <table className="w-full table-fixed text-xs">
      <colgroup>
        <col className="w-7" />
        <col />
        <col className="w-16 sm:w-20" />
        <col className="w-16 sm:w-20" />
      </colgroup>
      <thead className="sticky top-0 bg-panel text-muted shadow-[inset_0_-1px_0_var(--line)]">
        <tr className="h-7">
          <th scope="col">
            <span className="sr-only">{t("kind")}</span>
          </th>
          <th scope="col" className="text-left font-normal">
            {t("path")}
          </th>
          <th scope="col" className="pr-2 text-right font-normal sm:pr-3">
            {t("size")}
          </th>
          <th scope="col" className="pr-2 text-right font-normal sm:pr-3" title={t("hidesHint")}>
            {t("hides")}
          </th>
        </tr>
      </thead>
      <tbody className="font-mono">
        {files.map((file, index) => (
          <tr key={index} className="align-top hover:bg-hover">
            <td className={cn("py-0.5 text-center", KIND_COLOR[file.kind])}>
              <span aria-hidden>{KIND_SIGN[file.kind]}</span>
              <span className="sr-only">{t(file.kind)}</span>
            </td>
            <td className={cn("py-0.5 pr-2 break-all", file.kind === "removed" && "text-muted line-through decoration-1")}>{file.path}</td>
            <td className="tnum py-0.5 pr-2 text-right font-sans whitespace-nowrap text-muted sm:pr-3">
              {file.kind === "removed" ? "–" : formatBytes(file.sizeBytes)}
            </td>
            <td className="tnum py-0.5 pr-2 text-right font-sans whitespace-nowrap text-warn sm:pr-3">
              {file.hiddenBytes === 0 ? "" : formatBytes(file.hiddenBytes)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
