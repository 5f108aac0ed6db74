import type { Metadata, Viewport } from "next";
import { cookies, headers } from "next/headers";
import type { ReactNode } from "react";
import { Providers } from "@/components/providers.tsx";
import { compileMessages } from "@/lib/compile-messages.ts";
import { LOCALE_COOKIE, parseTheme, pickLocale, THEME_COOKIE } from "@/lib/preferences.ts";
import en from "@/messages/en.json";
import zh from "@/messages/zh.json";
import "@/app/globals.css";

export const metadata: Metadata = { title: { default: "Flotilla", template: "%s · Flotilla" }, referrer: "no-referrer" };

export const viewport: Viewport = {
  themeColor: [
    { media: "(prefers-color-scheme: light)", color: "#fbfbfb" },
    { media: "(prefers-color-scheme: dark)", color: "#0c0c0e" },
  ],
};

const MESSAGES = { en: compileMessages(en), zh: compileMessages(zh) };

export default async function RootLayout({ children }: { children: ReactNode }): Promise<ReactNode> {
  const jar = await cookies();
  const locale = pickLocale(jar.get(LOCALE_COOKIE)?.value, (await headers()).get("accept-language"));
  const theme = parseTheme(jar.get(THEME_COOKIE)?.value);
  return (
    <html lang={locale === "zh" ? "zh-CN" : "en"} data-theme={theme} suppressHydrationWarning>
      <body>
        <Providers locale={locale} messages={MESSAGES[locale]} theme={theme}>
          {children}
        </Providers>
      </body>
    </html>
  );
}
