"use client";

import { EllipsisVertical, Pencil, Play, Trash2 } from "lucide-react";
import { useRouter } from "next/navigation";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { Button } from "@/components/ui/button.tsx";
import { Menu, MenuItem, MenuSeparator } from "@/components/ui/menu.tsx";
import { May, useMay } from "@/components/may.tsx";
import type { HostRow } from "@/trpc/types.ts";

export function HostMenu({ host, onRename, onRemove }: { host: HostRow; onRename: () => void; onRemove: () => void }): ReactNode {
  const t = useTranslations("hosts");
  const router = useRouter();
  const may = useMay();
  // The host of another team is looked after by that one.
  const isManager = may("host.manage") && !host.isShared;
  if (!isManager && !may("container.run", host.id)) return null;
  return (
    <Menu
      label={host.name}
      trigger={
        <Button variant="ghost" size="icon" aria-label={t("menu", { name: host.name })}>
          <EllipsisVertical />
        </Button>
      }
    >
      <May right="container.run" host={host.id}>
        <MenuItem disabled={host.state !== "online"} onSelect={() => router.push(`/run?host=${encodeURIComponent(host.name)}`)}>
          <Play />
          {t("runHere")}
        </MenuItem>
      </May>
      {isManager ? (
        <>
          <MenuSeparator />
          <MenuItem onSelect={onRename}>
            <Pencil />
            {t("rename.action")}
          </MenuItem>
          <MenuItem isDanger onSelect={onRemove}>
            <Trash2 />
            {t("remove.action")}
          </MenuItem>
        </>
      ) : null}
    </Menu>
  );
}
