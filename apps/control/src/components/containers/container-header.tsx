"use client";

import { EllipsisVertical, Pencil, Trash2 } from "lucide-react";
import { Link } from "@/components/ui/link.tsx";
import { useRouter } from "next/navigation";
import { type ReactNode, useEffect, useState } from "react";
import { useTranslations } from "use-intl";
import { ACTION_ICONS } from "@/components/containers/container-menu.tsx";
import { ConfirmActionDialog } from "@/components/containers/confirm-action-dialog.tsx";
import { DetailHeader } from "@/components/frame/detail-page.tsx";
import { RemoveContainersDialog } from "@/components/containers/remove-containers-dialog.tsx";
import { RenameContainerDialog } from "@/components/containers/rename-container-dialog.tsx";
import { useContainerActions } from "@/components/containers/use-container-actions.ts";
import { May, useMay } from "@/components/may.tsx";
import { Button } from "@/components/ui/button.tsx";
import { Menu, MenuItem, MenuSeparator } from "@/components/ui/menu.tsx";
import { Status } from "@/components/ui/status-dot.tsx";
import { useUrlState } from "@/components/use-url-state.ts";
import { containerKey } from "@/lib/container-row.ts";
import { actionsFor, type ContainerAction, containerTone, isInterrupting } from "@/lib/container-state.ts";
import type { ContainerDetails } from "@/lib/inspect.ts";

type Open = { kind: "rename" | "remove" } | { kind: "confirm"; action: ContainerAction } | null;

export function ContainerHeader({ host, details }: { host: string; details: ContainerDetails }): ReactNode {
  const t = useTranslations("actions");
  const states = useTranslations("state");
  const router = useRouter();
  const actions = useContainerActions();
  const may = useMay();
  const url = useUrlState();
  const { State: state } = details;
  const [open, setOpen] = useState<Open>(null);
  const possible = may("container.control", host) ? actionsFor(state.Status) : [];
  const asked = possible.find((action) => action === url.get("ask"));
  useEffect(() => {
    // The palette sends here what it wants to be asked about.
    if (asked === undefined) return;
    setOpen({ kind: "confirm", action: asked });
    url.set({ ask: null });
  }, [asked, url]);
  const row = {
    Id: details.Id,
    Names: [`/${details.Name}`],
    Image: details.Config.Image,
    State: state.Status,
    Status: "",
    host: { id: host, name: host },
  };
  const isPending = actions.pending.has(containerKey(row));
  const choose = (action: ContainerAction): void => {
    if (isInterrupting(action)) setOpen({ kind: "confirm", action });
    else actions.act([row], action);
  };
  const [first, second, ...rest] = possible;
  const hasMenu = rest.length > 0 || may("container.run", host) || may("container.remove", host);
  return (
    <>
      <DetailHeader
        title={details.Name}
        status={
          <Status tone={containerTone({ state: state.Status, health: state.Health?.Status, exitCode: state.ExitCode })}>
            {states.has(state.Status as "running") ? states(state.Status as "running") : state.Status}
          </Status>
        }
        facts={[
          <Link key="host" href={`/hosts/${encodeURIComponent(host)}`} className="truncate hover:text-ink hover:underline">
            {host}
          </Link>,
        ]}
        actions={
          <>
            {[first, second].map((action) => {
              if (action === undefined) return null;
              const Icon = ACTION_ICONS[action];
              return (
                <Button key={action} isPending={isPending} onClick={() => choose(action)}>
                  <Icon />
                  {t(action)}
                </Button>
              );
            })}
            {hasMenu ? (
              <Menu
                trigger={
                  <Button size="icon" aria-label={t("more")}>
                    <EllipsisVertical />
                  </Button>
                }
              >
                {rest.map((action) => {
                  const Icon = ACTION_ICONS[action];
                  return (
                    <MenuItem key={action} onSelect={() => choose(action)}>
                      <Icon />
                      {t(action)}
                    </MenuItem>
                  );
                })}
                {rest.length > 0 ? <MenuSeparator /> : null}
                <May right="container.run" host={host}>
                  <MenuItem onSelect={() => setOpen({ kind: "rename" })}>
                    <Pencil />
                    {t("rename")}
                  </MenuItem>
                </May>
                <May right="container.remove" host={host}>
                  <MenuItem isDanger onSelect={() => setOpen({ kind: "remove" })}>
                    <Trash2 />
                    {t("remove")}
                  </MenuItem>
                </May>
              </Menu>
            ) : null}
          </>
        }
      />
      {open?.kind === "confirm" ? (
        <ConfirmActionDialog
          names={[details.Name]}
          action={open.action}
          onClose={() => setOpen(null)}
          onConfirm={() => actions.act([row], open.action)}
        />
      ) : null}
      {open?.kind === "rename" ? (
        <RenameContainerDialog host={host} id={details.Id} name={details.Name} onClose={() => setOpen(null)} />
      ) : null}
      {open?.kind === "remove" ? (
        <RemoveContainersDialog
          rows={[row]}
          remove={actions.remove}
          onClose={(wasRemoved) => {
            setOpen(null);
            if (wasRemoved) router.push("/containers");
          }}
        />
      ) : null}
    </>
  );
}
