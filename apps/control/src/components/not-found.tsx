"use client";

import Link from "next/link";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { Button } from "@/components/ui/button.tsx";
import { EmptyState } from "@/components/ui/states.tsx";

export function NotFound(): ReactNode {
  const t = useTranslations("common");
  return (
    <EmptyState title={t("notFoundTitle")} body={t("notFoundBody")} className="mx-auto mt-[20vh] max-w-lg">
      <Button asChild>
        <Link href="/">{t("toOverview")}</Link>
      </Button>
    </EmptyState>
  );
}
