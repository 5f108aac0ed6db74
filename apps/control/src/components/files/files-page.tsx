"use client";

import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { FileList } from "@/components/files/file-list.tsx";
import { UrlTabs } from "@/components/frame/url-tabs.tsx";

const NEEDS = { secrets: "secret.read", configs: "config.read" } as const;
const KINDS = ["secrets", "configs"] as const;

/** Contents that services mount as files: secrets, and configurations that are none. */
export function FilesPage(): ReactNode {
  const t = useTranslations("files");
  return (
    <UrlTabs
      label={t("tabsLabel")}
      ids={KINDS}
      needs={NEEDS}
      words={(kind) => t(`tabs.${kind}`)}
      content={{ secrets: () => <FileList key="secrets" kind="secrets" />, configs: () => <FileList key="configs" kind="configs" /> }}
    />
  );
}
