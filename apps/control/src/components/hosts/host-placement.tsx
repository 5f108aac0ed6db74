"use client";

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { Button } from "@/components/ui/button.tsx";
import { ConfirmDialog } from "@/components/ui/confirm-dialog.tsx";
import { DialogActions, Dialog } from "@/components/ui/dialog.tsx";
import { Field } from "@/components/ui/field.tsx";
import { Textarea } from "@/components/ui/input.tsx";
import { Panel } from "@/components/ui/panel.tsx";
import { Segmented } from "@/components/ui/segmented.tsx";
import { Badge, Status } from "@/components/ui/status-dot.tsx";
import { useMay } from "@/components/may.tsx";
import { formatLabels, parseLabels } from "@/lib/host-labels.ts";
import { AVAILABILITIES, type Availability, availabilityTone } from "@/lib/host-state.ts";
import { errorMessage, useTRPC } from "@/trpc/client.ts";
import type { HostDetails } from "@/trpc/types.ts";

/** What stacks may do with a host: whether they place replicas there, and the labels that they choose it by. */
export function HostPlacement({ host }: { host: HostDetails }): ReactNode {
  const t = useTranslations("host.placement");
  const isManager = useMay()("host.manage") && !host.isShared;
  const [asked, setAsked] = useState<Availability | null>(null);
  const [isEditing, setEditing] = useState(false);
  const place = usePlace(() => setAsked(null));
  const choose = (availability: Availability): void => {
    if (availability === host.availability) return;
    // Draining moves what runs; the others move nothing.
    if (availability === "drain") setAsked(availability);
    else place.mutate({ host: host.id, availability });
  };
  const labels = Object.entries(host.labels);
  return (
    <Panel title={t("title")}>
      <div className="space-y-4">
        <div className="space-y-2">
          {isManager ? (
            <Segmented
              label={t("availability")}
              value={host.availability}
              onChange={choose}
              items={AVAILABILITIES.map((id) => ({ id, label: t(`states.${id}`) }))}
            />
          ) : (
            <Status tone={availabilityTone(host.availability)}>{t(`states.${host.availability}`)}</Status>
          )}
          <p className="text-xs text-muted">{t(`hints.${host.availability}`)}</p>
          {place.error === null || asked !== null ? null : (
            <p role="alert" className="text-sm break-words text-bad">
              {errorMessage(place.error)}
            </p>
          )}
        </div>
        <div>
          <div className="mb-1.5 flex items-center justify-between gap-2">
            <h3 className="text-sm">{t("labels")}</h3>
            {isManager ? (
              <Button size="sm" onClick={() => setEditing(true)}>
                {t("edit")}
              </Button>
            ) : null}
          </div>
          {labels.length === 0 ? (
            <p className="text-xs text-muted">{t("noLabels")}</p>
          ) : (
            <p className="flex flex-wrap gap-1.5">
              {labels.map(([name, value]) => (
                <Badge key={name} className="font-mono">
                  <span className="truncate">{value === "" ? name : `${name}=${value}`}</span>
                </Badge>
              ))}
            </p>
          )}
        </div>
      </div>
      {isEditing ? <LabelsDialog host={host} onClose={() => setEditing(false)} /> : null}
      <ConfirmDialog
        isOpen={asked !== null}
        onOpenChange={() => setAsked(null)}
        title={t("drainTitle", { name: host.name })}
        body={<p>{t("drainBody")}</p>}
        confirmLabel={t("states.drain")}
        isPending={place.isPending}
        error={place.error === null ? undefined : errorMessage(place.error)}
        onConfirm={() => place.mutate({ host: host.id, availability: "drain" })}
      />
    </Panel>
  );
}

function usePlace(onDone: () => void) {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  return useMutation(
    trpc.hosts.place.mutationOptions({
      onSuccess: async () => {
        await queryClient.invalidateQueries({ queryKey: trpc.hosts.pathKey() });
        onDone();
      },
    }),
  );
}

function LabelsDialog({ host, onClose }: { host: HostDetails; onClose: () => void }): ReactNode {
  const t = useTranslations("host.placement");
  const common = useTranslations("common");
  const [text, setText] = useState(() => formatLabels(host.labels));
  const place = usePlace(onClose);
  const { labels, wrongLine } = parseLabels(text);
  const error = wrongLine === null ? (place.error === null ? undefined : errorMessage(place.error)) : t("wrongLine", { line: wrongLine });
  return (
    <Dialog isOpen onOpenChange={onClose} title={t("labelsOf", { name: host.name })}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (wrongLine === null) place.mutate({ host: host.id, labels });
        }}
      >
        <Field label={t("labels")} hint={t("labelsHint")} error={error}>
          {(ids) => (
            <Textarea
              {...ids}
              autoFocus
              rows={6}
              className="font-mono text-xs"
              value={text}
              onChange={(event) => setText(event.target.value)}
            />
          )}
        </Field>
        <DialogActions>
          <Button onClick={onClose}>{common("cancel")}</Button>
          <Button type="submit" variant="primary" disabled={wrongLine !== null} isPending={place.isPending}>
            {common("save")}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
