"use client";

import dynamic from "next/dynamic";
import { usePathname } from "next/navigation";
import { type ReactNode, useCallback, useState } from "react";
import { useTranslations } from "use-intl";
import { Forbidden, MayProvider, useMay } from "@/components/may.tsx";
import { OperationsProvider } from "@/components/operations/operations-provider.tsx";
import { Sidebar } from "@/components/shell/sidebar.tsx";
import { TopBar } from "@/components/shell/top-bar.tsx";
import { useShortcuts } from "@/components/shell/use-shortcuts.ts";
import { useMe } from "@/components/use-me.ts";
import { rightLackedFor } from "@/lib/may.ts";
import { LiveProvider } from "@/trpc/live.tsx";

const CommandPalette = dynamic(() => import("@/components/shell/command-palette.tsx").then((found) => found.CommandPalette), {
  ssr: false,
});
const ShortcutSheet = dynamic(() => import("@/components/shell/shortcut-sheet.tsx").then((found) => found.ShortcutSheet), { ssr: false });

type Overlay = "palette" | "shortcuts";

/** What is around every page of someone signed in. */
export function AppShell({ children }: { children: ReactNode }): ReactNode {
  const t = useTranslations("shell");
  const isSignedIn = useMe() !== undefined;
  const [overlay, setOverlay] = useState<Overlay | null>(null);
  // Once loaded an overlay stays mounted, so that it closes with its own motion and gives the focus back.
  const [wanted, setWanted] = useState<ReadonlySet<Overlay>>(new Set());
  const show = useCallback((next: Overlay) => {
    setWanted((all) => new Set([...all, next]));
    setOverlay(next);
  }, []);
  const onPalette = useCallback(() => show("palette"), [show]);
  const onHelp = useCallback(() => show("shortcuts"), [show]);
  useShortcuts({ onPalette, onHelp });
  const onOpenChange = (isOpen: boolean): void => setOverlay(isOpen ? overlay : null);
  return (
    <LiveProvider isSignedIn={isSignedIn}>
      <OperationsProvider>
        <MayProvider>
          <a
            href="#main"
            className="sr-only z-50 rounded-md bg-inverse px-3 py-2 text-on-inverse focus:not-sr-only focus:fixed focus:top-2 focus:left-2"
          >
            {t("skip")}
          </a>
          <div className="flex min-h-dvh">
            <Sidebar />
            <div className="flex min-w-0 flex-1 flex-col">
              <TopBar onSearch={onPalette} />
              <main id="main" tabIndex={-1} className="min-w-0 flex-1 p-4 outline-none sm:px-6 sm:py-5">
                <Allowed isKnown={isSignedIn}>{children}</Allowed>
              </main>
            </div>
          </div>
          {wanted.has("palette") ? <CommandPalette isOpen={overlay === "palette"} onOpenChange={onOpenChange} /> : null}
          {wanted.has("shortcuts") ? <ShortcutSheet isOpen={overlay === "shortcuts"} onOpenChange={onOpenChange} /> : null}
        </MayProvider>
      </OperationsProvider>
    </LiveProvider>
  );
}

/** The page, or why it is not shown to this person. While nobody is known yet it is loading anyway. */
function Allowed({ isKnown, children }: { isKnown: boolean; children: ReactNode }): ReactNode {
  const may = useMay();
  const lacked = rightLackedFor(usePathname(), may);
  if (!isKnown || lacked === undefined) return children;
  return <Forbidden right={lacked} />;
}
