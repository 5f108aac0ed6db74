"use client";

import { useTranslations } from "use-intl";
import type { Reason } from "@/trpc/types.ts";

/** Says reasons in the reader's language; of what no reason is known the text of the server. */
export function useReasons(): (reasons: readonly Reason[] | null, text: string) => string {
  const t = useTranslations("stacks.reasons");
  const say = ({ code, values, parts = [] }: Reason): string => {
    // Of a later version there may be codes that this page has no words for.
    const head = code === "text" ? String(values["text"] ?? "") : t.has(code) ? t(code, values) : code;
    if (parts.length === 0) return head;
    const rest = parts.map(say).join(t("and"));
    return code === "this_host" ? `${head} ${rest}` : `${head}${code === "hosts" || code === "unplaced" ? t("colon") : t("and")}${rest}`;
  };
  return (reasons, text) => (reasons === null || reasons.length === 0 ? text : reasons.map(say).join(t("semicolon")));
}
