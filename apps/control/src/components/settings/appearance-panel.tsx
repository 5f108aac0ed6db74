"use client";

import { useRouter } from "next/navigation";
import type { ReactNode } from "react";
import { useLocale, useTranslations } from "use-intl";
import { useTheme } from "@/components/theme.tsx";
import { Panel } from "@/components/ui/panel.tsx";
import { Segmented } from "@/components/ui/segmented.tsx";
import { type Locale, LOCALE_COOKIE, LOCALES, preferenceCookie, THEMES } from "@/lib/preferences.ts";

/** A language's own name, whatever the page's language is. */
const LANGUAGES: Readonly<Record<Locale, string>> = { en: "English", zh: "简体中文" };

export function AppearancePanel(): ReactNode {
  const t = useTranslations("settings.appearance");
  const shell = useTranslations("shell");
  const { theme, setTheme } = useTheme();
  const locale = useLocale();
  const router = useRouter();
  return (
    <Panel>
      <div className="grid gap-x-6 gap-y-4 sm:grid-cols-[9rem_minmax(0,1fr)] sm:items-center">
        <span className="text-sm">{t("theme")}</span>
        <div>
          <Segmented
            label={t("theme")}
            value={theme}
            onChange={setTheme}
            items={THEMES.map((id) => ({ id, label: shell(`themes.${id}`) }))}
          />
        </div>
        <span className="text-sm">{t("language")}</span>
        <div>
          <Segmented
            label={t("language")}
            value={locale}
            onChange={(next) => {
              document.cookie = preferenceCookie(LOCALE_COOKIE, next);
              router.refresh();
            }}
            items={LOCALES.map((id) => ({ id, label: LANGUAGES[id] }))}
          />
        </div>
      </div>
    </Panel>
  );
}
