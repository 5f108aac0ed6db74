"use client";

import dynamic from "next/dynamic";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { UrlTabs } from "@/components/frame/url-tabs.tsx";
import { Help } from "@/components/help/help.tsx";
import { Skeleton } from "@/components/ui/states.tsx";

const ApiReference = dynamic(() => import("@/components/help/api-reference.tsx").then((found) => found.ApiReference), {
  ssr: false,
  loading: () => <Skeleton className="h-96" />,
});

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
