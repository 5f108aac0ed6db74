"use client";

import { Command } from "cmdk";
import { useRouter } from "next/navigation";
import { Dialog as Primitive } from "radix-ui";
import { type ReactNode, useMemo, useState } from "react";
import { useTranslations } from "use-intl";
import type { PaletteEntry } from "@/components/shell/palette-entry.ts";
import { usePaletteEntries } from "@/components/shell/palette-items.ts";
import { rankItems } from "@/lib/palette.ts";

const GROUPS = ["pages", "stacks", "containers", "hosts", "objects", "actions"] as const;
const PER_GROUP = 6;
const EMPTY_GROUP_SIZE = { pages: 8, stacks: 3, actions: 3, hosts: 3, containers: 3, objects: 0 } as const;

export type PaletteProps = { isOpen: boolean; onOpenChange: (isOpen: boolean) => void };

/** ⌘K: go anywhere or do something, by typing a part of its name. */
export function CommandPalette({ isOpen, onOpenChange }: PaletteProps): ReactNode {
  const t = useTranslations("palette");
  return (
    <Primitive.Root open={isOpen} onOpenChange={onOpenChange}>
      <Primitive.Portal>
        <Primitive.Overlay className="anim-fade fixed inset-0 z-40 bg-black/30 dark:bg-black/55" />
        <Primitive.Content
          aria-describedby={undefined}
          className="anim-pop fixed top-[10vh] left-1/2 z-50 w-[calc(100vw-1.5rem)] max-w-xl -translate-x-1/2 overflow-hidden rounded-lg border border-line-strong bg-raised shadow-[0_16px_48px_rgb(0_0_0/0.24)] outline-none"
        >
          <Primitive.Title className="sr-only">{t("title")}</Primitive.Title>
          <PaletteContent onDone={() => onOpenChange(false)} />
        </Primitive.Content>
      </Primitive.Portal>
    </Primitive.Root>
  );
}

function PaletteContent({ onDone }: { onDone: () => void }): ReactNode {
  const t = useTranslations("palette");
  const router = useRouter();
  const [query, setQuery] = useState("");
  const entries = usePaletteEntries();
  const groups = useMemo(() => {
    const isEmpty = query.trim() === "";
    return GROUPS.map((group) => ({
      group,
      items: rankItems(
        entries.filter((entry) => entry.group === group),
        query,
        isEmpty ? EMPTY_GROUP_SIZE[group] : PER_GROUP,
      ),
    })).filter(({ items }) => items.length > 0);
  }, [entries, query]);
  const choose = (entry: PaletteEntry): void => {
    onDone();
    if ("href" in entry) router.push(entry.href);
    else entry.run();
  };
  return (
    <Command shouldFilter={false} label={t("title")} loop>
      <Command.Input
        autoFocus
        value={query}
        onValueChange={setQuery}
        placeholder={t("placeholder")}
        className="h-12 w-full border-b bg-transparent px-4 text-base outline-none max-sm:text-[16px]"
      />
      <Command.List className="max-h-[min(26rem,60dvh)] overflow-y-auto p-1.5 [scrollbar-width:thin]">
        <Command.Empty className="px-3 py-8 text-center text-sm text-muted">{t("nothing", { query })}</Command.Empty>
        {groups.map(({ group, items }) => (
          <Command.Group
            key={group}
            heading={t(`groups.${group}`)}
            className="[&_[cmdk-group-heading]]:px-2.5 [&_[cmdk-group-heading]]:py-1.5 [&_[cmdk-group-heading]]:text-xs [&_[cmdk-group-heading]]:text-muted"
          >
            {items.map((entry) => (
              <Command.Item
                key={entry.id}
                value={entry.id}
                onSelect={() => choose(entry)}
                className="flex h-9 cursor-pointer items-center justify-between gap-3 rounded-md px-2.5 text-sm data-[selected=true]:bg-active"
              >
                <span className="truncate">{entry.label}</span>
                <span className="shrink-0 text-xs text-muted">{entry.hint}</span>
              </Command.Item>
            ))}
          </Command.Group>
        ))}
      </Command.List>
    </Command>
  );
}
