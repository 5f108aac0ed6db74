"use client";

import { useMutation, useQuery } from "@tanstack/react-query";
import { Link } from "@/components/ui/link.tsx";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { useTranslations } from "use-intl";
import { hostHref } from "@/components/hosts/host-columns.tsx";
import { Button } from "@/components/ui/button.tsx";
import { Command } from "@/components/ui/copy-button.tsx";
import { Dialog } from "@/components/ui/dialog.tsx";
import { Field } from "@/components/ui/field.tsx";
import { Input, NativeSelect } from "@/components/ui/input.tsx";
import { ErrorState, PartialNotice, Skeleton } from "@/components/ui/states.tsx";
import { StatusDot } from "@/components/ui/status-dot.tsx";
import { errorMessage, useTRPC } from "@/trpc/client.ts";

const EXPIRY_MINUTES = [15, 60, 1_440] as const;
const DEFAULT_MINUTES = 60;

/** Adds a host: the command is there at once, with a token for one machine; the row below turns green when the host arrives. */
export function AddHostDrawer({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }): ReactNode {
  const t = useTranslations("hosts.add");
  return (
    <Dialog
      isOpen={isOpen}
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
      title={t("title")}
      description={t("description")}
      placement="side"
    >
      <AddHost onClose={onClose} />
    </Dialog>
  );
}

function AddHost({ onClose }: { onClose: () => void }): ReactNode {
  const t = useTranslations("hosts.add");
  const trpc = useTRPC();
  const [name, setName] = useState("");
  const [minutes, setMinutes] = useState<number>(DEFAULT_MINUTES);
  const { mutate, data, error, isPending } = useMutation(trpc.hosts.joinTokens.create.mutationOptions());
  const hasAsked = useRef(false);
  useEffect(() => {
    // Strict mode runs effects twice in development; one drawer must make one token.
    if (hasAsked.current) return;
    hasAsked.current = true;
    mutate({ expiresInMinutes: DEFAULT_MINUTES, uses: 1 });
  }, [mutate]);
  const renew = (): void => mutate({ ...(name.trim() === "" ? {} : { name: name.trim() }), expiresInMinutes: minutes, uses: 1 });
  return (
    <div className="space-y-5">
      <section className="space-y-2">
        <h3 className="text-sm font-medium">{t("run")}</h3>
        {error === null ? null : <ErrorState title={t("failed")} message={errorMessage(error)} onRetry={renew} />}
        {data === undefined ? error === null ? <Skeleton className="h-16" /> : null : <Command text={data.command} isWrapped />}
        {data?.isLoopback === true ? <PartialNotice>{t("loopback", { url: data.controlUrl })}</PartialNotice> : null}
        <p className="text-xs text-muted">{t("needs")}</p>
      </section>
      <WaitingHosts onClose={onClose} />
      <details className="rounded-lg border">
        <summary className="px-3 py-2 text-sm text-muted hover:text-ink">{t("options")}</summary>
        <div className="grid gap-3 border-t p-3 sm:grid-cols-2">
          <Field label={t("name")} hint={t("nameHint")}>
            {(ids) => <Input {...ids} value={name} onChange={(event) => setName(event.target.value)} placeholder="web-2" />}
          </Field>
          <Field label={t("expires")}>
            {(ids) => (
              <NativeSelect {...ids} value={minutes} onChange={(event) => setMinutes(Number(event.target.value))}>
                {EXPIRY_MINUTES.map((choice) => (
                  <option key={choice} value={choice}>
                    {t("minutes", { minutes: choice })}
                  </option>
                ))}
              </NativeSelect>
            )}
          </Field>
          <Button className="sm:col-span-2" isPending={isPending} onClick={renew}>
            {t("renew")}
          </Button>
        </div>
      </details>
    </div>
  );
}

/** Hosts that came since the drawer was opened. */
function WaitingHosts({ onClose }: { onClose: () => void }): ReactNode {
  const t = useTranslations("hosts.add");
  const trpc = useTRPC();
  const { data } = useQuery(trpc.hosts.list.queryOptions());
  const known = useRef<ReadonlySet<string> | null>(null);
  if (known.current === null && data !== undefined) known.current = new Set(data.map((host) => host.id));
  const arrived = (data ?? []).filter((host) => host.state === "online" && known.current?.has(host.id) === false);
  return (
    <section aria-live="polite" className="rounded-lg border">
      {arrived.length === 0 ? (
        <p className="flex h-12 items-center gap-2.5 px-3 text-sm text-muted">
          <StatusDot tone="idle" className="animate-pulse" />
          {t("waiting")}
        </p>
      ) : (
        arrived.map((host) => (
          <p key={host.id} className="flex h-12 items-center gap-2.5 border-b px-3 text-sm last:border-b-0">
            <StatusDot tone="ok" />
            <span className="min-w-0 flex-1 truncate">{t("arrived", { name: host.name })}</span>
            <Button asChild size="sm" variant="primary" onClick={onClose}>
              <Link href={`/run?host=${encodeURIComponent(host.name)}`}>{t("runSomething")}</Link>
            </Button>
            <Button asChild size="sm" onClick={onClose}>
              <Link href={hostHref(host)}>{t("open")}</Link>
            </Button>
          </p>
        ))
      )}
    </section>
  );
}
