"use client";

import { FolderUp } from "lucide-react";
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { Field } from "@/components/ui/field.tsx";
import { Textarea } from "@/components/ui/input.tsx";
import { Segmented } from "@/components/ui/segmented.tsx";
import { type ContextFile, filesOfDrop, filesOfInput } from "@/lib/build-context.ts";
import { BUILD_SOURCES, type BuildForm } from "@/lib/build-form.ts";
import { cn } from "@/lib/cn.ts";
import { formatBytes } from "@/lib/format.ts";

const FILE_INPUT =
  "w-full text-sm file:mr-3 file:h-8 file:cursor-pointer file:rounded-md file:border file:border-solid file:border-line-strong file:bg-panel file:px-3 file:text-sm file:font-medium file:text-ink";

export type BuildContextFieldProps = { form: BuildForm; onChange: (changes: Partial<BuildForm>) => void; error: string | undefined };

/** Where the build's files come from: a folder, an archive that is made already, or a Dockerfile that needs no files. */
export function BuildContextField({ form, onChange, error }: BuildContextFieldProps): ReactNode {
  const t = useTranslations("images.build");
  return (
    <div className="space-y-3">
      <Segmented
        label={t("source")}
        value={form.source}
        onChange={(source) => onChange({ source })}
        items={BUILD_SOURCES.map((id) => ({ id, label: t(`sources.${id}`) }))}
      />
      {form.source === "folder" ? <FolderField files={form.files} onFiles={(files) => onChange({ files })} error={error} /> : null}
      {form.source === "archive" ? (
        <Field label={t("archive")} hint={t("archiveHint")} error={error}>
          {(ids) => (
            <input
              {...ids}
              type="file"
              accept=".tar,.tar.gz,.tgz,application/x-tar,application/gzip"
              onChange={(event) => onChange({ archive: event.target.files?.[0] ?? null })}
              className={FILE_INPUT}
            />
          )}
        </Field>
      ) : null}
      {form.source === "text" ? (
        <Field label="Dockerfile" hint={t("textHint")} error={error}>
          {(ids) => (
            <Textarea
              {...ids}
              rows={8}
              placeholder={"FROM debian:12-slim\nRUN …"}
              className="font-mono text-xs"
              value={form.text}
              onChange={(event) => onChange({ text: event.target.value })}
            />
          )}
        </Field>
      ) : null}
    </div>
  );
}

type FolderFieldProps = { files: readonly ContextFile[]; onFiles: (files: ContextFile[]) => void; error: string | undefined };

function FolderField({ files, onFiles, error }: FolderFieldProps): ReactNode {
  const t = useTranslations("images.build");
  const [isOver, setOver] = useState(false);
  const bytes = files.reduce((sum, { file }) => sum + file.size, 0);
  return (
    <Field label={t("folder")} hint={t("folderHint")} error={error}>
      {(ids) => (
        <label
          onDragOver={(event) => {
            event.preventDefault();
            setOver(true);
          }}
          onDragLeave={() => setOver(false)}
          onDrop={(event) => {
            event.preventDefault();
            setOver(false);
            void filesOfDrop(event.dataTransfer.items).then(onFiles);
          }}
          className={cn(
            "flex cursor-pointer flex-col items-center gap-1 rounded-lg border border-dashed border-line-strong px-4 py-6 text-center text-sm transition-colors focus-within:outline-2 focus-within:outline-info hover:bg-hover",
            isOver && "border-info bg-info-soft",
          )}
        >
          <FolderUp aria-hidden className="size-5 text-muted" />
          <span className="font-medium">
            {files.length === 0 ? t("drop") : t("chosen", { count: files.length, size: formatBytes(bytes) })}
          </span>
          <span className="text-xs text-muted">{files.length === 0 ? t("dropHint") : t("dropAgain")}</span>
          <input
            {...ids}
            type="file"
            multiple
            className="sr-only"
            {...{ webkitdirectory: "" }}
            onChange={(event) => onFiles(filesOfInput(event.target.files ?? []))}
          />
        </label>
      )}
    </Field>
  );
}
