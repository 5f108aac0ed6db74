"use client";

import { Menu as MenuIcon, Play, Search } from "lucide-react";
import { Link } from "@/components/ui/link.tsx";
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { May } from "@/components/may.tsx";
import { OperationsIndicator } from "@/components/operations/operations-indicator.tsx";
import { Breadcrumbs } from "@/components/shell/breadcrumbs.tsx";
import { LiveDot } from "@/components/shell/live-dot.tsx";
import { SidebarContent } from "@/components/shell/sidebar.tsx";
import { Button } from "@/components/ui/button.tsx";
import { Dialog } from "@/components/ui/dialog.tsx";
import { Kbd } from "@/components/ui/kbd.tsx";

export function TopBar({ onSearch }: { onSearch: () => void }): ReactNode {
  const t = useTranslations("shell");
  const [isMenuOpen, setMenuOpen] = useState(false);
  return (
    <div className="sticky top-0 z-20 flex h-12 items-center gap-2 border-b bg-canvas px-4 sm:px-6">
      <Button variant="ghost" size="icon" className="-ml-2 lg:hidden" aria-label={t("openMenu")} onClick={() => setMenuOpen(true)}>
        <MenuIcon />
      </Button>
      <Dialog isOpen={isMenuOpen} onOpenChange={setMenuOpen} title={t("menu")} placement="side" className="max-w-72">
        <div className="-m-4 flex h-[calc(100dvh-3.25rem)] flex-col">
          <SidebarContent onNavigate={() => setMenuOpen(false)} />
        </div>
      </Dialog>
      <Breadcrumbs />
      <div className="ml-auto flex items-center gap-1.5">
        <OperationsIndicator />
        <LiveDot />
        <Button variant="outline" onClick={onSearch} className="text-muted max-sm:w-8 max-sm:px-0">
          <Search />
          <span className="max-sm:sr-only">{t("search")}</span>
          <span aria-hidden className="ml-3 hidden gap-0.5 sm:inline-flex">
            <Kbd>⌘K</Kbd>
          </span>
        </Button>
        <May right="container.run">
          <Button asChild variant="primary" className="max-sm:w-8 max-sm:px-0">
            <Link href="/run" aria-label={t("run")}>
              <Play />
              <span className="max-sm:hidden">{t("run")}</span>
            </Link>
          </Button>
        </May>
      </div>
    </div>
  );
}
