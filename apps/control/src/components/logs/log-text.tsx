import type { CSSProperties, ReactNode } from "react";
import { type AnsiStyle, parseAnsi } from "@/lib/ansi.ts";
import { findMatches, markRanges } from "@/lib/log-buffer.ts";

/** One line with its colours and the search marked in it. All of it is text: nothing a container writes becomes markup. */
export function LogText({ text, search }: { text: string; search: string }): ReactNode {
  const spans = parseAnsi(text);
  const plain = spans.map((span) => span.text).join("");
  const ranges = findMatches(plain, search);
  let offset = 0;
  return spans.map((span, index) => {
    const parts = markRanges(span.text, offset, ranges);
    offset += span.text.length;
    return (
      <span key={index} style={cssOf(span.style)}>
        {parts.map((part, at) => (part.isMatch ? <mark key={at}>{part.text}</mark> : part.text))}
      </span>
    );
  });
}

function cssOf(style: AnsiStyle): CSSProperties {
  const color = (value: number | string | undefined): string | undefined => (typeof value === "number" ? `var(--ansi-${value})` : value);
  const front = color(style.color);
  const back = color(style.background);
  const isInverse = style.isInverse === true;
  return {
    color: isInverse ? (back ?? "var(--panel)") : front,
    background: isInverse ? (front ?? "var(--ink)") : back,
    fontWeight: style.isBold === true ? 600 : undefined,
    opacity: style.isDim === true ? 0.7 : undefined,
    fontStyle: style.isItalic === true ? "italic" : undefined,
    textDecoration: style.isUnderlined === true ? "underline" : undefined,
  };
}
