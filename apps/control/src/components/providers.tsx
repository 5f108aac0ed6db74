"use client";

import type { ReactNode } from "react";
import { Toaster } from "sonner";
import { IntlProvider } from "use-intl";
import { NowProvider } from "@/components/time-ago.tsx";
import { ThemeProvider, useTheme } from "@/components/theme.tsx";
import { TooltipProvider } from "@/components/ui/tooltip.tsx";
import type { Locale, Theme } from "@/lib/preferences.ts";
import type messages from "@/messages/en.json";
import { DataProvider } from "@/trpc/provider.tsx";

export type ProvidersProps = { locale: Locale; messages: typeof messages; theme: Theme; children: ReactNode };

/** Everything that all pages share: texts, theme, clock, data. */
export function Providers({ locale, messages, theme, children }: ProvidersProps): ReactNode {
  return (
    <IntlProvider locale={locale} messages={messages} timeZone="UTC">
      <ThemeProvider initial={theme}>
        <DataProvider>
          <NowProvider>
            <TooltipProvider delayDuration={300}>{children}</TooltipProvider>
          </NowProvider>
        </DataProvider>
        <Toasts />
      </ThemeProvider>
    </IntlProvider>
  );
}

function Toasts(): ReactNode {
  const { theme } = useTheme();
  return (
    <Toaster
      theme={theme}
      position="bottom-right"
      gap={8}
      toastOptions={{
        style: {
          background: "var(--raised)",
          color: "var(--ink)",
          borderColor: "var(--line-strong)",
          fontSize: "13px",
          borderRadius: "8px",
        },
        classNames: { description: "!text-muted break-words", error: "[&_[data-icon]]:text-bad", success: "[&_[data-icon]]:text-ok" },
      }}
    />
  );
}
