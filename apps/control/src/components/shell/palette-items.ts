"use client";

import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { useTranslations } from "use-intl";
import { MAIN_PAGES, OTHER_PAGES, type PageId } from "@/components/shell/navigation.ts";
import type { PaletteEntry } from "@/components/shell/palette-entry.ts";
import { useObjectEntries } from "@/components/shell/palette-objects.ts";
import { useSignOut } from "@/components/shell/user-menu.tsx";
import { useTheme } from "@/components/theme.tsx";
import { actionsFor, isInterrupting } from "@/lib/container-state.ts";
import { containerHref, containerName } from "@/lib/container-row.ts";
import { THEMES } from "@/lib/preferences.ts";
import { useContainerActions } from "@/components/containers/use-container-actions.ts";
import { useMay } from "@/components/may.tsx";
import { type May, rightLackedFor } from "@/lib/may.ts";
import { useTRPC } from "@/trpc/client.ts";

/** All that the palette can find: pages and their parts, actions, every object that has a page, and what may be done to containers. */
export function usePaletteEntries(): PaletteEntry[] {
  const may = useMay();
  const entries = [...usePageEntries(), ...useActionEntries(may), ...useObjectEntries(), ...useContainerEntries(may)];
  return entries.filter((entry) => !("href" in entry) || rightLackedFor(entry.href.split("?", 1)[0] ?? "", may) === undefined);
}

function usePageEntries(): PaletteEntry[] {
  const t = useTranslations("nav");
  const networks = useTranslations("mesh.tabs");
  const registry = useTranslations("registry.tabs");
  const settings = useTranslations("settings.tabs");
  const files = useTranslations("files.tabs");
  const pages = [...MAIN_PAGES, ...OTHER_PAGES].map(({ id, href, key }) => toEntry({ id, label: t(id), href, hint: `g ${key}` }));
  // Parts of pages are found by their own names.
  const part = (page: PageId, id: string, label: string): PaletteEntry => {
    const found = [...MAIN_PAGES, ...OTHER_PAGES].find((one) => one.id === page);
    return toEntry({ id: `${page} ${id}`, label, href: `${found?.href ?? "/"}?tab=${id}`, hint: t(page) });
  };
  return [
    ...pages,
    ...(["map", "mesh", "ports", "reach"] as const).map((id) => part("networks", id, networks(id))),
    ...(["upstreams", "space"] as const).map((id) => part("registry", id, registry(id))),
    ...(["tokens", "members", "join", "appearance"] as const).map((id) => part("settings", id, settings(id))),
    part("secrets", "configs", files("configs")),
  ];
}

function toEntry({ id, ...shown }: { id: string; label: string; href: string; hint: string }): PaletteEntry {
  return { id: `page:${id}`, group: "pages", keywords: id, ...shown };
}

function useActionEntries(may: May): PaletteEntry[] {
  const t = useTranslations("shell");
  const { setTheme } = useTheme();
  const signOut = useSignOut();
  const action = (id: string, label: string, target: { href: string } | { run: () => void }): PaletteEntry => ({
    id: `action:${id}`,
    group: "actions",
    label,
    hint: "",
    keywords: id,
    ...target,
  });
  return [
    action("run container new", t("run"), { href: "/run" }),
    action("deploy stack new compose", t("deploy"), { href: "/deploy" }),
    ...(may("host.manage") ? [action("add host join", t("addHost"), { href: "/hosts?add=1" })] : []),
    ...(may("image.change") ? [action("upload image load", t("uploadImage"), { href: "/images?upload=1" })] : []),
    ...THEMES.map((theme) => action(`theme ${theme}`, `${t("theme")}: ${t(`themes.${theme}`)}`, { run: () => setTheme(theme) })),
    action("sign out", t("signOut"), { run: signOut }),
  ];
}

function useContainerEntries(may: May): PaletteEntry[] {
  const t = useTranslations("actions");
  const trpc = useTRPC();
  const { data } = useQuery(trpc.containers.list.queryOptions({}));
  const { act } = useContainerActions();
  // Some thousand containers have some ten thousand entries: made once for each list, not at each key press.
  return useMemo(() => {
    const rows = data?.items ?? [];
    const open = rows.map((row): PaletteEntry => ({
      id: `container:${row.host.id}:${row.Id}`,
      group: "containers",
      label: containerName(row),
      hint: row.host.name,
      keywords: `${row.Image} ${row.State}`,
      href: containerHref(row),
    }));
    const actions = rows.flatMap((row) =>
      actionsFor(row.State)
        .filter((action) => action !== "kill" && may("container.control", row.host.id))
        .map((action): PaletteEntry => ({
          id: `${action}:${row.host.id}:${row.Id}`,
          group: "actions",
          label: `${t(action)} ${containerName(row)}`,
          hint: row.host.name,
          keywords: action,
          ...(isInterrupting(action) ? { href: `${containerHref(row)}?ask=${action}` } : { run: () => act([row], action) }),
        })),
    );
    return [...open, ...actions];
  }, [data, t, act, may]);
}
