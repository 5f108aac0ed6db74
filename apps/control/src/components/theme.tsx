"use client";

import { createContext, type ReactNode, useCallback, useContext, useMemo, useState } from "react";
import { preferenceCookie, type Theme, THEME_COOKIE } from "@/lib/preferences.ts";

export type ThemeChoice = { theme: Theme; setTheme: (theme: Theme) => void };

const ThemeContext = createContext<ThemeChoice>({ theme: "system", setTheme: () => undefined });

export function useTheme(): ThemeChoice {
  return useContext(ThemeContext);
}

/** Holds the choice of theme; CSS does the rest from the attribute on <html>. */
export function ThemeProvider({ initial, children }: { initial: Theme; children: ReactNode }): ReactNode {
  const [theme, keep] = useState(initial);
  const setTheme = useCallback((next: Theme) => {
    document.documentElement.dataset["theme"] = next;
    document.cookie = preferenceCookie(THEME_COOKIE, next);
    keep(next);
  }, []);
  const choice = useMemo(() => ({ theme, setTheme }), [theme, setTheme]);
  return <ThemeContext value={choice}>{children}</ThemeContext>;
}
