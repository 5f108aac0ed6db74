"use client";

import type { ReactNode } from "react";
import { useTranslations } from "use-intl";

/** Every page loads this, in case there is none: so it stands alone, without the controls of the others. */
export function NotFound(): ReactNode {
  const t = useTranslations("common");
  return (
    <div className="mx-auto mt-[20vh] flex max-w-lg flex-col items-center rounded-lg border border-dashed border-line-strong px-4 py-12 text-center">
      <h1 className="text-base font-medium">{t("notFoundTitle")}</h1>
      <p className="mt-1 text-sm text-muted">{t("notFoundBody")}</p>
      {/* oxlint-disable-next-line next/no-html-link-for-pages -- next/link would be loaded by every page for this one */}
      <a
        href="/"
        className="mt-4 inline-flex h-8 items-center rounded-md border border-line-strong bg-panel px-3 text-sm font-medium hover:bg-hover"
      >
        {t("toOverview")}
      </a>
    </div>
  );
}
