"use client";

import Link from "next/link";
import { usePathname } from "next/navigation";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { Logo } from "@/components/shell/logo.tsx";
import { isCurrent, MAIN_PAGES, OTHER_PAGES, type PageLink } from "@/components/shell/navigation.ts";
import { TeamSwitcher } from "@/components/shell/team-switcher.tsx";
import { UserMenu } from "@/components/shell/user-menu.tsx";
import { useMay } from "@/components/may.tsx";
import { Skeleton } from "@/components/ui/states.tsx";
import { useMe } from "@/components/use-me.ts";
import { cn } from "@/lib/cn.ts";
import { rightLackedFor } from "@/lib/may.ts";

/** The column on the left; on small screens the same content is in a drawer. */
export function Sidebar(): ReactNode {
  return (
    <aside className="sticky top-0 flex h-dvh w-52 shrink-0 flex-col border-r bg-panel max-lg:hidden">
      <SidebarContent />
    </aside>
  );
}

export function SidebarContent({ onNavigate }: { onNavigate?: () => void }): ReactNode {
  const t = useTranslations("nav");
  const me = useMe();
  const may = useMay();
  // Until it is known who looks, all of them hold their places.
  const pages = MAIN_PAGES.filter(({ href }) => me === undefined || rightLackedFor(href, may) === undefined);
  return (
    <>
      <div className="flex h-12 items-center gap-2.5 px-4">
        <Logo className="size-5" />
        {me === undefined ? <Skeleton className="h-4 w-24" /> : <TeamSwitcher me={me} />}
      </div>
      <nav aria-label={t("label")} className="flex min-h-0 flex-1 flex-col gap-0.5 overflow-y-auto px-2 py-1">
        {pages.map((page) => (
          <NavLink key={page.id} page={page} onNavigate={onNavigate} />
        ))}
        <div className="flex-1" />
        {OTHER_PAGES.map((page) => (
          <NavLink key={page.id} page={page} onNavigate={onNavigate} />
        ))}
      </nav>
      <div className="border-t p-2">
        <UserMenu />
      </div>
    </>
  );
}

function NavLink({ page, onNavigate }: { page: PageLink; onNavigate: (() => void) | undefined }): ReactNode {
  const t = useTranslations("nav");
  const isActive = isCurrent(page.href, usePathname());
  const Icon = page.icon;
  return (
    <Link
      href={page.href}
      aria-current={isActive ? "page" : undefined}
      onClick={() => onNavigate?.()}
      className={cn(
        "flex h-8 shrink-0 items-center gap-2.5 rounded-md px-2 text-sm transition-colors max-lg:h-10",
        isActive ? "bg-active font-medium text-ink" : "text-muted hover:bg-hover hover:text-ink",
      )}
    >
      <Icon aria-hidden className="size-4 shrink-0" />
      {t(page.id)}
    </Link>
  );
}
