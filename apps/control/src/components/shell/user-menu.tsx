"use client";

import { ChevronsUpDown, LogOut, Monitor, Moon, Settings, Sun } from "lucide-react";
import { useRouter } from "next/navigation";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { useTheme } from "@/components/theme.tsx";
import { Menu, MenuCheckItem, MenuItem, MenuLabel, MenuSeparator } from "@/components/ui/menu.tsx";
import { Skeleton } from "@/components/ui/states.tsx";
import { useMe } from "@/components/use-me.ts";
import { departure } from "@/lib/departure.ts";
import { THEMES } from "@/lib/preferences.ts";
import { notify } from "@/lib/notify.ts";
import { errorMessage } from "@/trpc/client.ts";

const ICONS = { system: Monitor, light: Sun, dark: Moon };

/** Who is signed in, the theme, and the way out. */
export function UserMenu(): ReactNode {
  const t = useTranslations("shell");
  const me = useMe();
  const router = useRouter();
  const { theme, setTheme } = useTheme();
  const signOut = useSignOut();
  return (
    <Menu
      align="start"
      isWide
      trigger={
        <button type="button" className="flex h-9 w-full items-center gap-2 rounded-md px-2 text-left hover:bg-hover">
          {me === undefined ? <Skeleton className="h-4 w-24" /> : <span className="min-w-0 flex-1 truncate text-sm">{me.user.name}</span>}
          <ChevronsUpDown aria-hidden className="ml-auto size-3.5 text-muted" />
        </button>
      }
    >
      <MenuLabel>{me?.user.email ?? ""}</MenuLabel>
      <MenuItem onSelect={() => router.push("/settings")}>
        <Settings />
        {t("settings")}
      </MenuItem>
      <MenuSeparator />
      <MenuLabel>{t("theme")}</MenuLabel>
      {THEMES.map((choice) => {
        const Icon = ICONS[choice];
        return (
          <MenuCheckItem key={choice} checked={theme === choice} onCheckedChange={() => setTheme(choice)}>
            <Icon />
            {t(`themes.${choice}`)}
          </MenuCheckItem>
        );
      })}
      <MenuSeparator />
      <MenuItem onSelect={signOut}>
        <LogOut />
        {t("signOut")}
      </MenuItem>
    </Menu>
  );
}

/** Ends the session and shows the sign-in page. */
export function useSignOut(): () => void {
  const t = useTranslations("shell");
  const end = async (): Promise<void> => {
    const { openAuthClient } = await import("@/lib/auth-client.ts");
    const { error } = await openAuthClient().signOut();
    if (error !== null) throw new Error(error.message);
  };
  return () => {
    departure.signOut(end).catch((error: unknown) => {
      notify("error", t("signOutFailed"), { description: errorMessage(error) });
    });
  };
}
