"use client";

import { useQuery } from "@tanstack/react-query";
import { FilePlus2, X } from "lucide-react";
import dynamic from "next/dynamic";
import { type ReactNode, useMemo, useState } from "react";
import { useTranslations } from "use-intl";
import { useTold } from "@/components/stacks/use-told.ts";
import { Button } from "@/components/ui/button.tsx";
import { Dialog, DialogActions } from "@/components/ui/dialog.tsx";
import { Field } from "@/components/ui/field.tsx";
import { Input } from "@/components/ui/input.tsx";
import { Skeleton } from "@/components/ui/states.tsx";
import { cn } from "@/lib/cn.ts";
import { composeFiles, fileNameProblem, orderFiles, type StackFiles } from "@/lib/stack-files.ts";
import { useTRPC } from "@/trpc/client.ts";
import type { ComposeMessage, StackIssue } from "@/trpc/types.ts";

const ComposeEditor = dynamic(() => import("@/components/stacks/compose-editor.tsx").then((found) => found.ComposeEditor), {
  loading: () => <Skeleton className="h-72" />,
  ssr: false,
});

const NO_KEYS: readonly { path: string; note: string; said: ComposeMessage | null }[] = [];

export type StackFilesEditorProps = { files: StackFiles; issues: readonly StackIssue[]; onChange: (files: StackFiles) => void };

/** The files of a stack, one in sight at a time. */
export function StackFilesEditor({ files, issues, onChange }: StackFilesEditorProps): ReactNode {
  const t = useTranslations("stacks.deploy");
  const trpc = useTRPC();
  const { data: keys = NO_KEYS } = useQuery(trpc.stacks.composeKeys.queryOptions(undefined, { staleTime: Number.POSITIVE_INFINITY }));
  const [chosen, setChosen] = useState("");
  const [isAdding, setAdding] = useState(false);
  const names = orderFiles(files);
  const active = names.includes(chosen) ? chosen : (names[0] ?? "");
  const told = useTold();
  const own = useMemo(
    () => issues.filter(({ file }) => file === active).map((issue) => ({ ...issue, text: told.issue(issue) })),
    [issues, active, told],
  );
  const saidKeys = useMemo(() => keys.map(({ path, note, said }) => ({ path, note: told.message(said, note) })), [keys, told]);
  const compose = composeFiles(files);
  return (
    <div className="rounded-lg border bg-panel">
      <div className="flex items-center gap-1 overflow-x-auto border-b px-2 py-1 [scrollbar-width:thin]">
        {names.map((name) => (
          <span key={name} className={cn("flex shrink-0 items-center rounded-md", name === active && "bg-active")}>
            <button
              type="button"
              aria-pressed={name === active}
              onClick={() => setChosen(name)}
              className={cn("h-7 rounded-md px-2 font-mono text-xs", name === active ? "text-ink" : "text-muted hover:text-ink")}
            >
              {name}
            </button>
            {compose.includes(name) ? null : (
              <button
                type="button"
                aria-label={t("removeFile", { name })}
                className="mr-1 rounded-sm text-muted hover:text-ink"
                onClick={() => onChange(Object.fromEntries(Object.entries(files).filter(([each]) => each !== name)))}
              >
                <X className="size-3.5" />
              </button>
            )}
          </span>
        ))}
        <Button variant="ghost" size="sm" onClick={() => setAdding(true)}>
          <FilePlus2 />
          {t("addFile")}
        </Button>
      </div>
      <ComposeEditor
        name={active}
        initialText={files[active] ?? ""}
        label={active}
        placeholder={compose.includes(active) ? t("placeholder") : ""}
        keys={saidKeys}
        issues={own}
        onChange={(text) => onChange({ ...files, [active]: text })}
      />
      {isAdding ? (
        <AddFileDialog
          files={files}
          onClose={() => setAdding(false)}
          onAdd={(name) => {
            onChange({ ...files, [name]: "" });
            setChosen(name);
            setAdding(false);
          }}
        />
      ) : null}
    </div>
  );
}

type AddFileProps = { files: StackFiles; onClose: () => void; onAdd: (name: string) => void };

function AddFileDialog({ files, onClose, onAdd }: AddFileProps): ReactNode {
  const t = useTranslations("stacks.deploy");
  const common = useTranslations("common");
  const [name, setName] = useState("");
  const problem = fileNameProblem(name.trim(), files);
  return (
    <Dialog isOpen onOpenChange={onClose} title={t("addFile")}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (problem === null) onAdd(name.trim());
        }}
      >
        <Field
          label={t("fileName")}
          hint={t("fileNameHint")}
          error={problem === null || problem === "empty" ? undefined : t(`fileProblems.${problem}`)}
        >
          {(ids) => <Input {...ids} autoFocus placeholder=".env" value={name} onChange={(event) => setName(event.target.value)} />}
        </Field>
        <DialogActions>
          <Button onClick={onClose}>{common("cancel")}</Button>
          <Button type="submit" variant="primary" disabled={problem !== null}>
            {common("add")}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
