"use client";

import dynamic from "next/dynamic";
import { type ReactNode, useEffect, useState } from "react";
import { IntlProvider } from "use-intl";
import { NowProvider } from "@/components/time-ago.tsx";
import { ThemeProvider } from "@/components/theme.tsx";
import { onFirstNotice } from "@/lib/notify.ts";
import type { Locale, Theme } from "@/lib/preferences.ts";
import type messages from "@/messages/en.json";
import { DataProvider } from "@/trpc/provider.tsx";

const Notices = dynamic(() => import("@/components/notices.tsx").then((found) => found.Notices), { ssr: false });

export type ProvidersProps = { locale: Locale; messages: typeof messages; theme: Theme; children: ReactNode };

/** Everything that all pages share: texts, theme, clock, data. */
export function Providers({ locale, messages, theme, children }: ProvidersProps): ReactNode {
  return (
    <IntlProvider locale={locale} messages={messages} timeZone="UTC">
      <ThemeProvider initial={theme}>
        <DataProvider>
          <NowProvider>{children}</NowProvider>
        </DataProvider>
        <NoticePlace />
      </ThemeProvider>
    </IntlProvider>
  );
}

/** Nothing until there is something to tell. */
function NoticePlace(): ReactNode {
  const [isWanted, setWanted] = useState(false);
  useEffect(() => onFirstNotice(() => setWanted(true)), []);
  return isWanted ? <Notices /> : null;
}
