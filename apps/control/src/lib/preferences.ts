import { z } from "zod";

export const LOCALES = ["en", "zh"] as const;
export type Locale = (typeof LOCALES)[number];

export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

export const LOCALE_COOKIE = "flotilla_locale";
export const THEME_COOKIE = "flotilla_theme";

const theme = z.enum(THEMES).catch("system");
const locale = z.enum(LOCALES);

export function parseTheme(value: string | undefined): Theme {
  return theme.parse(value);
}

/** The chosen language, else the first of the browser's that we speak, else English. */
export function pickLocale(cookie: string | undefined, acceptLanguage: string | null): Locale {
  const chosen = locale.safeParse(cookie);
  if (chosen.success) return chosen.data;
  for (const part of (acceptLanguage ?? "").split(",")) {
    const found = locale.safeParse(part.trim().slice(0, 2).toLowerCase());
    if (found.success) return found.data;
  }
  return "en";
}

/** A cookie that the server reads before it renders, so that the page never flashes in another theme or language. */
export function preferenceCookie(name: string, value: string): string {
  return `${name}=${value}; path=/; max-age=31536000; samesite=lax`;
}
