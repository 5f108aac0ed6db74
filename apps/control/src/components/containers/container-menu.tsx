"use client";

import { EllipsisVertical, FileText, LoaderCircle, Pause, Play, RotateCw, Skull, Square, SquareTerminal, Trash2 } from "lucide-react";
import { useRouter } from "next/navigation";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { Button } from "@/components/ui/button.tsx";
import { May, useMay } from "@/components/may.tsx";
import { Menu, MenuItem, MenuSeparator } from "@/components/ui/menu.tsx";
import { containerHref, containerName, type ContainerSummary } from "@/lib/container-row.ts";
import { actionsFor, type ContainerAction } from "@/lib/container-state.ts";

export const ACTION_ICONS = {
  start: Play,
  stop: Square,
  restart: RotateCw,
  kill: Skull,
  pause: Pause,
  unpause: Play,
} as const satisfies Record<ContainerAction, unknown>;

export type ContainerMenuProps = {
  row: ContainerSummary;
  isPending: boolean;
  onAction: (action: ContainerAction) => void;
  onRemove: () => void;
};

const RIGHTS = ["container.control", "container.logs", "container.terminal", "container.remove"] as const;

export function ContainerMenu(props: ContainerMenuProps): ReactNode {
  const t = useTranslations("actions");
  const may = useMay();
  const name = containerName(props.row);
  if (!RIGHTS.some((right) => may(right, props.row.host.id))) return null;
  return (
    <Menu
      label={name}
      trigger={
        <Button variant="ghost" size="icon" aria-label={t("menu", { name })} disabled={props.isPending}>
          {props.isPending ? <LoaderCircle className="animate-spin" /> : <EllipsisVertical />}
        </Button>
      }
    >
      <Items {...props} />
    </Menu>
  );
}

/** A component of its own, so that thousands of closed menus do not put their words together. */
function Items({ row, onAction, onRemove }: ContainerMenuProps): ReactNode {
  const t = useTranslations("actions");
  const router = useRouter();
  const host = row.host.id;
  return (
    <>
      <May right="container.control" host={host}>
        {actionsFor(row.State).map((action) => {
          const Icon = ACTION_ICONS[action];
          return (
            <MenuItem key={action} onSelect={() => onAction(action)}>
              <Icon />
              {t(action)}
            </MenuItem>
          );
        })}
        <MenuSeparator />
      </May>
      <May right="container.logs" host={host}>
        <MenuItem onSelect={() => router.push(`${containerHref(row)}?tab=logs`)}>
          <FileText />
          {t("logs")}
        </MenuItem>
      </May>
      {row.State === "running" ? (
        <May right="container.terminal" host={host}>
          <MenuItem onSelect={() => router.push(`${containerHref(row)}?tab=terminal`)}>
            <SquareTerminal />
            {t("terminal")}
          </MenuItem>
        </May>
      ) : null}
      <May right="container.remove" host={host}>
        <MenuSeparator />
        <MenuItem isDanger onSelect={onRemove}>
          <Trash2 />
          {t("remove")}
        </MenuItem>
      </May>
    </>
  );
}
