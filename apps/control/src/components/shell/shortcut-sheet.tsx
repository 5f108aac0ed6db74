"use client";

import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { MAIN_PAGES, OTHER_PAGES } from "@/components/shell/navigation.ts";
import { Dialog } from "@/components/ui/dialog.tsx";
import { Kbd } from "@/components/ui/kbd.tsx";

export function ShortcutSheet({ isOpen, onOpenChange }: { isOpen: boolean; onOpenChange: (isOpen: boolean) => void }): ReactNode {
  const t = useTranslations("shortcuts");
  const nav = useTranslations("nav");
  const groups = [
    {
      title: t("everywhere"),
      rows: [
        { keys: ["⌘", "K"], text: t("palette") },
        { keys: ["/"], text: t("filter") },
        { keys: ["r"], text: t("run") },
        { keys: ["?"], text: t("sheet") },
      ],
    },
    {
      title: t("tables"),
      rows: [
        { keys: ["j"], text: t("down") },
        { keys: ["k"], text: t("up") },
        { keys: ["x"], text: t("select") },
        { keys: ["↵"], text: t("open") },
        { keys: ["[", "]"], text: t("tabs") },
        { keys: ["esc"], text: t("back") },
      ],
    },
    { title: t("goTo"), rows: [...MAIN_PAGES, ...OTHER_PAGES].map((page) => ({ keys: ["g", page.key], text: nav(page.id) })) },
  ];
  return (
    <Dialog isOpen={isOpen} onOpenChange={onOpenChange} title={t("title")}>
      <div className="space-y-5">
        {groups.map((group) => (
          <section key={group.title}>
            <h3 className="mb-1.5 text-xs text-muted">{group.title}</h3>
            <ul className="divide-y">
              {group.rows.map(({ keys, text }) => (
                <li key={text} className="flex h-8 items-center justify-between">
                  <span>{text}</span>
                  <span className="flex gap-1">
                    {keys.map((key) => (
                      <Kbd key={key}>{key}</Kbd>
                    ))}
                  </span>
                </li>
              ))}
            </ul>
          </section>
        ))}
      </div>
    </Dialog>
  );
}
