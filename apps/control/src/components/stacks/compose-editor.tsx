"use client";

import type { EditorView } from "@codemirror/view";
import { type ReactNode, useEffect, useRef } from "react";
import { useTranslations } from "use-intl";
import { createComposeEditor, showIssues } from "@/components/stacks/compose-editor-setup.ts";
import type { ComposeKey } from "@/lib/compose-keys.ts";
import type { EditorIssue } from "@/lib/editor-issues.ts";

export type ComposeEditorProps = {
  /** Which file: another one begins with its own text and history. */
  name: string;
  initialText: string;
  label: string;
  placeholder: string;
  keys: readonly ComposeKey[];
  issues: readonly EditorIssue[];
  onChange: (text: string) => void;
};

/** The editor of one file of a stack. Loaded when it is needed: it is larger than the page around it. */
export function ComposeEditor({ name, initialText, label, placeholder, keys, issues, onChange }: ComposeEditorProps): ReactNode {
  const t = useTranslations("stacks.deploy");
  const common = useTranslations("common");
  const box = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const phrases = {
    Completions: t("editor.completions"),
    Diagnostics: t("issues"),
    "No diagnostics": t("editor.noIssues"),
    "Selection deleted": t("editor.selectionDeleted"),
    "Control character": t("editor.controlCharacter"),
    close: common("close"),
  };
  // None of these makes another editor: what is written, and where the cursor is, would be lost.
  const latest = useRef({ initialText, keys, issues, phrases, onChange });
  latest.current = { initialText, keys, issues, phrases, onChange };
  useEffect(() => {
    if (box.current === null) return undefined;
    const created = createComposeEditor({
      parent: box.current,
      text: latest.current.initialText,
      label,
      placeholder,
      phrases: latest.current.phrases,
      isYaml: /\.ya?ml$/.test(name),
      getKeys: () => latest.current.keys,
      onChange: (text) => latest.current.onChange(text),
    });
    view.current = created;
    showIssues(created, latest.current.issues);
    return () => {
      view.current = null;
      created.destroy();
    };
  }, [name, label, placeholder]);
  useEffect(() => {
    if (view.current !== null) showIssues(view.current, issues);
  }, [issues]);
  return <div ref={box} data-editor={name} className="min-w-0 overflow-hidden rounded-b-lg text-xs" />;
}
