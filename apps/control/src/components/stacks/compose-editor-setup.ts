import { autocompletion, completionKeymap, type CompletionContext, type CompletionResult } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentLess, indentMore } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { bracketMatching, HighlightStyle, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { lintGutter, lintKeymap, setDiagnostics } from "@codemirror/lint";
import { EditorState, type Extension } from "@codemirror/state";
import { EditorView, highlightActiveLine, keymap, lineNumbers, placeholder as showPlaceholder } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { type ComposeKey, findKeyPlace, keysAt } from "@/lib/compose-keys.ts";
import { type EditorIssue, issueRange } from "@/lib/editor-issues.ts";

export type ComposeEditorOptions = {
  parent: HTMLElement;
  text: string;
  label: string;
  placeholder: string;
  /** What the editor says itself, by its English words. */
  phrases: Readonly<Record<string, string>>;
  isYaml: boolean;
  getKeys: () => readonly ComposeKey[];
  onChange: (text: string) => void;
};

/** An editor in `parent`, in the colours of the page. Tab goes to the next field, as everywhere; Ctrl-] and Ctrl-[ indent. */
export function createComposeEditor(options: ComposeEditorOptions): EditorView {
  const { parent, text, label, placeholder, phrases, isYaml, getKeys, onChange } = options;
  const extensions: Extension[] = [
    EditorState.phrases.of(phrases),
    lineNumbers(),
    history(),
    indentOnInput(),
    indentUnit.of("  "),
    bracketMatching(),
    highlightActiveLine(),
    EditorView.lineWrapping,
    EditorView.contentAttributes.of({ "aria-label": label, spellcheck: "false", tabindex: "0" }),
    lintGutter(),
    showPlaceholder(placeholder),
    keymap.of([
      { key: "Ctrl-]", mac: "Cmd-]", run: indentMore },
      { key: "Ctrl-[", mac: "Cmd-[", run: indentLess },
      ...completionKeymap,
      ...lintKeymap,
      ...historyKeymap,
      ...defaultKeymap,
    ]),
    EditorView.updateListener.of((update) => {
      if (update.docChanged) onChange(update.state.doc.toString());
    }),
    THEME,
    ...(isYaml ? [yaml(), syntaxHighlighting(COLORS), autocompletion({ override: [completeFrom(getKeys)], icons: false })] : []),
  ];
  return new EditorView({ parent, state: EditorState.create({ doc: text, extensions }) });
}

/** Underlines mistakes and marks their lines. */
export function showIssues(view: EditorView, issues: readonly EditorIssue[]): void {
  const text = view.state.doc.toString();
  const diagnostics = issues.map((issue) => ({ ...issueRange(text, issue), severity: issue.severity, message: issue.text }));
  view.dispatch(setDiagnostics(view.state, diagnostics));
}

function completeFrom(getKeys: () => readonly ComposeKey[]): (context: CompletionContext) => CompletionResult | null {
  return (context) => {
    const line = context.state.doc.lineAt(context.pos);
    // What is above decides; what is below need not be read.
    const lines = context.state.doc.sliceString(0, line.to).split("\n");
    const place = findKeyPlace(lines, lines.length - 1, context.pos - line.from);
    if (place === null || (place.word === "" && !context.explicit)) return null;
    const options = keysAt(getKeys(), place.path).map(({ key, note }) => ({
      label: key,
      apply: `${key}: `,
      ...(note === "" ? {} : { info: note, boost: -50 }),
    }));
    return options.length === 0 ? null : { from: line.from + place.from, options, validFor: /^[\w.-]*$/ };
  };
}

const COLORS = HighlightStyle.define([
  { tag: [tags.definition(tags.propertyName), tags.propertyName], color: "var(--ansi-4)" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--ansi-2)" },
  { tag: [tags.number, tags.bool, tags.null, tags.keyword], color: "var(--ansi-5)" },
  { tag: [tags.comment, tags.lineComment], color: "var(--faint)", fontStyle: "italic" },
  { tag: [tags.meta, tags.labelName, tags.typeName], color: "var(--ansi-6)" },
  { tag: [tags.punctuation, tags.separator], color: "var(--muted)" },
]);

const THEME = EditorView.theme({
  "&": { backgroundColor: "var(--panel)", color: "var(--ink)", height: "max(18rem, calc(100dvh - 26rem))" },
  // A ring above the gutter, which would cover an outline.
  "&.cm-focused": { outline: "none" },
  "&.cm-focused::after": {
    content: '""',
    position: "absolute",
    inset: "0",
    zIndex: "300",
    border: "2px solid var(--info)",
    borderRadius: "0 0 0.5rem 0.5rem",
    pointerEvents: "none",
  },
  ".cm-scroller": { fontFamily: "var(--font-mono, ui-monospace, monospace)", lineHeight: "1.25rem", overflow: "auto" },
  ".cm-content": { caretColor: "var(--ink)", padding: "0.5rem 0" },
  ".cm-placeholder": { color: "var(--muted)" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  ".cm-gutters": { backgroundColor: "var(--panel)", color: "var(--faint)", border: "none" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "var(--hover)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground, ::selection": {
    backgroundColor: "var(--info-soft)",
  },
  ".cm-tooltip": { backgroundColor: "var(--raised)", color: "var(--ink)", border: "1px solid var(--line-strong)", borderRadius: "6px" },
  ".cm-tooltip-autocomplete > ul > li": { padding: "2px 8px" },
  ".cm-tooltip-autocomplete > ul > li[aria-selected]": { backgroundColor: "var(--active)", color: "var(--ink)" },
  ".cm-completionInfo": { padding: "4px 8px", maxWidth: "20rem" },
  ".cm-diagnostic": { padding: "4px 8px", borderLeftWidth: "3px" },
  ".cm-diagnostic-error": { borderLeftColor: "var(--bad)" },
  ".cm-diagnostic-warning": { borderLeftColor: "var(--warn)" },
  ".cm-lintRange-error": { backgroundImage: "none", textDecoration: "underline wavy var(--bad)" },
  ".cm-lintRange-warning": { backgroundImage: "none", textDecoration: "underline wavy var(--warn)" },
});
