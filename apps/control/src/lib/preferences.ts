export const LOCALES = ["en", "zh"] as const;
export type Locale = (typeof LOCALES)[number];

export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

export const LOCALE_COOKIE = "flotilla_locale";
export const THEME_COOKIE = "flotilla_theme";

export function parseTheme(value: string | undefined): Theme {
  return THEMES.find((theme) => theme === value) ?? "system";
}

/** The chosen language, else the first of the browser's that we speak, else English. */
export function pickLocale(cookie: string | undefined, acceptLanguage: string | null): Locale {
  const chosen = LOCALES.find((locale) => locale === cookie);
  if (chosen !== undefined) return chosen;
  for (const part of (acceptLanguage ?? "").split(",")) {
    const found = LOCALES.find((locale) => locale === part.trim().slice(0, 2).toLowerCase());
    if (found !== undefined) return found;
  }
  return "en";
}

/** A cookie that the server reads before it renders, so that the page never flashes in another theme or language. */
export function preferenceCookie(name: string, value: string): string {
  return `${name}=${value}; path=/; max-age=31536000; samesite=lax`;
}
