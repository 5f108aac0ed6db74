"use client";

import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { useTranslations } from "use-intl";
import { MAIN_PAGES, OTHER_PAGES } from "@/components/shell/navigation.ts";
import { useSignOut } from "@/components/shell/user-menu.tsx";
import { useTheme } from "@/components/theme.tsx";
import { actionsFor, isInterrupting } from "@/lib/container-state.ts";
import { containerHref, containerName } from "@/lib/container-row.ts";
import type { PaletteItem } from "@/lib/palette.ts";
import { THEMES } from "@/lib/preferences.ts";
import { useContainerActions } from "@/components/containers/use-container-actions.ts";
import { stackHref } from "@/lib/stack-href.ts";
import { useTRPC } from "@/trpc/client.ts";

export type PaletteEntry = PaletteItem & { group: "pages" | "stacks" | "actions" | "hosts" | "containers" } & (
    | { href: string }
    | { run: () => void }
  );

/** All that the palette can find: pages, actions, hosts, containers and what may be done to them. */
export function usePaletteEntries(): PaletteEntry[] {
  return [...usePageEntries(), ...useActionEntries(), ...useStackEntries(), ...useHostEntries(), ...useContainerEntries()];
}

function usePageEntries(): PaletteEntry[] {
  const t = useTranslations("nav");
  return [...MAIN_PAGES, ...OTHER_PAGES].map(({ id, href, key }) => ({
    id: `page:${id}`,
    group: "pages",
    label: t(id),
    hint: `g ${key}`,
    keywords: id,
    href,
  }));
}

function useActionEntries(): PaletteEntry[] {
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
    action("add host join", t("addHost"), { href: "/hosts?add=1" }),
    action("upload image load", t("uploadImage"), { href: "/images?upload=1" }),
    ...THEMES.map((theme) => action(`theme ${theme}`, `${t("theme")}: ${t(`themes.${theme}`)}`, { run: () => setTheme(theme) })),
    action("sign out", t("signOut"), { run: signOut }),
  ];
}

function useHostEntries(): PaletteEntry[] {
  const t = useTranslations("shell");
  const trpc = useTRPC();
  const { data } = useQuery(trpc.hosts.list.queryOptions());
  return (data ?? []).map((host) => ({
    id: `host:${host.id}`,
    group: "hosts",
    label: host.name,
    hint: t("host"),
    keywords: "host",
    href: `/hosts/${encodeURIComponent(host.name)}`,
  }));
}

function useStackEntries(): PaletteEntry[] {
  const t = useTranslations("shell");
  const trpc = useTRPC();
  const { data } = useQuery(trpc.stacks.list.queryOptions());
  return (data ?? []).map((stack) => ({
    id: `stack:${stack.id}`,
    group: "stacks",
    label: stack.name,
    hint: t("stack"),
    keywords: "stack",
    href: stackHref(stack),
  }));
}

function useContainerEntries(): PaletteEntry[] {
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
        .filter((action) => action !== "kill")
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
  }, [data, t, act]);
}
