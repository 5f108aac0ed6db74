"use client";

import { useMemo } from "react";
import { useTranslations } from "use-intl";
import type { ComposeMessage, StackIssue } from "@/trpc/types.ts";

export type Told = {
  /** In the reader's language; of what has no words here the server's own. */
  message: (said: ComposeMessage | null, text: string) => string;
  /** With the key that it is about and what was probably meant. */
  issue: (issue: Pick<StackIssue, "path" | "said" | "suggestion" | "text">) => string;
};

/** Says what is told of compose files in the reader's language. */
export function useTold(): Told {
  const t = useTranslations("stacks.told");
  return useMemo(() => {
    const say = ({ code, values, why }: ComposeMessage): string => {
      if (code === "text") return String(values["text"] ?? "");
      return t(code, why === undefined ? values : { ...values, why: say(why) });
    };
    // Of a later version there may be codes that this page has no words for.
    const isKnown = ({ code, why }: ComposeMessage): boolean => (code === "text" || t.has(code)) && (why === undefined || isKnown(why));
    return {
      message: (said, text) => (said === null || !isKnown(said) ? text : say(said)),
      issue: ({ path, said, suggestion, text }) => {
        if (!isKnown(said)) return text;
        const meant = suggestion === null ? "" : t("meant", { suggestion });
        return `${path === "" ? "" : `${path}: `}${say(said)}${meant}`;
      },
    };
  }, [t]);
}
