"use client";

import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { ErrorState } from "@/components/ui/states.tsx";

/** A fault of the page itself: named, and with a way to try again. */
export function PageError({ message, onRetry }: { message: string; onRetry: () => void }): ReactNode {
  const t = useTranslations("common");
  return <ErrorState title={t("pageFailed")} message={message} onRetry={onRetry} />;
}
