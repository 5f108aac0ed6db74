"use client";

import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { lazyPart } from "@/components/frame/lazy-part.tsx";
import { UrlTabs } from "@/components/frame/url-tabs.tsx";
import { Help } from "@/components/help/help.tsx";

const ApiReference = lazyPart(() => import("@/components/help/api-reference.tsx").then((found) => found.ApiReference));

const TABS = ["start", "api"] as const;

/** First steps, and the reference of the API. */
export function HelpPage(): ReactNode {
  const t = useTranslations("help");
  return (
    <UrlTabs
      label={t("tabsLabel")}
      ids={TABS}
      words={(id) => t(`tabs.${id}`)}
      content={{ start: () => <Help />, api: () => <ApiReference /> }}
    />
  );
}
