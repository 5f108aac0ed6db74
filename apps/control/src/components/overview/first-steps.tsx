"use client";

import { Link } from "@/components/ui/link.tsx";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { May } from "@/components/may.tsx";
import { Button } from "@/components/ui/button.tsx";
import { EmptyState } from "@/components/ui/states.tsx";

/** Shown while nothing runs yet: the way to the first container. */
export function FirstSteps(): ReactNode {
  const t = useTranslations("overview.first");
  return (
    <EmptyState title={t("title")} body={t("body")} className="py-8">
      <div className="flex flex-wrap justify-center gap-2">
        <May right="container.run">
          <Button asChild variant="primary">
            <Link href="/run">{t("run")}</Link>
          </Button>
        </May>
        <May right="image.change">
          <Button asChild>
            <Link href="/images?upload=1">{t("upload")}</Link>
          </Button>
        </May>
        <May right="host.manage">
          <Button asChild>
            <Link href="/hosts?add=1">{t("addHost")}</Link>
          </Button>
        </May>
      </div>
    </EmptyState>
  );
}
