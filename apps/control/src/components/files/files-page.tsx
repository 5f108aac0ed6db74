"use client";

import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { FileList } from "@/components/files/file-list.tsx";
import { Tabs } from "@/components/ui/tabs.tsx";
import { useUrlState } from "@/components/use-url-state.ts";
import { oneOf } from "@/lib/url-state.ts";

const KINDS = ["secrets", "configs"] as const;

/** Contents that services mount as files: secrets, and configurations that are none. */
export function FilesPage(): ReactNode {
  const t = useTranslations("files");
  const url = useUrlState();
  return (
    <Tabs
      label={t("tabsLabel")}
      value={oneOf(url.get("tab"), KINDS)}
      onChange={(tab) => url.set({ tab: tab === "secrets" ? null : tab, q: null })}
      items={KINDS.map((kind) => ({ id: kind, label: t(`tabs.${kind}`), content: () => <FileList key={kind} kind={kind} /> }))}
    />
  );
}
