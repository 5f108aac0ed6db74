"use client";

import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { PageTitle } from "@/components/page-title.tsx";
import type { PageId } from "@/components/shell/navigation.ts";

export function NavTitle({ id }: { id: PageId }): ReactNode {
  const t = useTranslations("nav");
  return <PageTitle text={t(id)} isHidden />;
}
