"use client";

import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { TimeAgo } from "@/components/time-ago.tsx";
import { Button } from "@/components/ui/button.tsx";
import { Dialog } from "@/components/ui/dialog.tsx";
import { ErrorState, Skeleton } from "@/components/ui/states.tsx";
import { Status } from "@/components/ui/status-dot.tsx";
import { parseTime } from "@/lib/format.ts";
import { notify } from "@/lib/notify.ts";
import { type Delivery, deliveryState, prettyJson, type WebhookRow } from "@/lib/webhook-form.ts";
import { errorMessage, useTRPC, useTRPCClient } from "@/trpc/client.ts";

const PAGE_SIZE = 50;
/** Deliveries are no news of the event stream: while one is under way and somebody looks, it is asked for. */
const LOOK_MS = 2_000;
const TONES = { delivered: "ok", failed: "bad", retrying: "warn", waiting: "idle" } as const;

/** What was sent to a webhook, newest first: what came back, and a way to send it once more. */
export function WebhookDeliveries({ webhook, onClose }: { webhook: WebhookRow; onClose: () => void }): ReactNode {
  const t = useTranslations("settings.webhooks");
  const trpc = useTRPC();
  const query = useInfiniteQuery(
    trpc.webhooks.deliveries.infiniteQueryOptions(
      { id: webhook.id, limit: PAGE_SIZE },
      {
        getNextPageParam: (page) => page.nextCursor ?? undefined,
        staleTime: 0,
        refetchInterval: ({ state }) => (state.data?.pages.some((page) => page.items.some(isUnderWay)) === true ? LOOK_MS : false),
      },
    ),
  );
  const rows = query.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Dialog isOpen onOpenChange={onClose} placement="side" title={t("deliveriesTitle", { name: webhook.name })}>
      {query.isPending ? <Skeleton className="h-64" /> : null}
      {query.isError ? (
        <ErrorState title={t("deliveriesFailed")} message={errorMessage(query.error)} onRetry={() => void query.refetch()} />
      ) : null}
      {query.isSuccess && rows.length === 0 ? <p className="text-sm text-muted">{t("noDeliveries")}</p> : null}
      <ul className="-mx-4 -mt-4">
        {rows.map((row) => (
          <DeliveryLine key={row.id} webhook={webhook.id} delivery={row} />
        ))}
      </ul>
      {query.hasNextPage ? (
        <Button className="mt-3" isPending={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
          {t("older")}
        </Button>
      ) : null}
    </Dialog>
  );
}

const isUnderWay = (row: Delivery): boolean => row.state === "waiting";

function DeliveryLine({ webhook, delivery }: { webhook: string; delivery: Delivery }): ReactNode {
  const t = useTranslations("settings.webhooks");
  const [isOpen, setOpen] = useState(false);
  const state = deliveryState(delivery);
  const time = parseTime(delivery.createdAt);
  return (
    <li className="border-b">
      <button
        type="button"
        aria-expanded={isOpen}
        onClick={() => setOpen(!isOpen)}
        className="flex w-full flex-wrap items-center gap-x-3 gap-y-1 px-4 py-2 text-left text-sm hover:bg-hover"
      >
        <Status tone={TONES[state]} className="shrink-0 sm:w-28">
          {t(`states.${state}`)}
        </Status>
        <code className="min-w-0 font-mono text-xs break-all max-sm:order-first max-sm:basis-full sm:flex-1">{delivery.type}</code>
        <span className="tnum text-xs text-muted">{delivery.status ?? ""}</span>
        {time === null ? null : <TimeAgo time={time} className="text-xs text-muted max-sm:ml-auto" />}
      </button>
      {isOpen ? <DeliveryDetail webhook={webhook} delivery={delivery} /> : null}
    </li>
  );
}

function DeliveryDetail({ webhook, delivery }: { webhook: string; delivery: Delivery }): ReactNode {
  const t = useTranslations("settings.webhooks");
  const trpc = useTRPC();
  const client = useTRPCClient();
  const queryClient = useQueryClient();
  const again = useMutation({
    mutationFn: async () => {
      await client.webhooks.redeliver.mutate({ id: webhook, deliveryId: delivery.id });
      await queryClient.invalidateQueries({ queryKey: trpc.webhooks.deliveries.pathKey() });
    },
    onError: (error) => notify("error", t("redeliverFailed"), { description: errorMessage(error) }),
  });
  const next = parseTime(delivery.nextAt);
  return (
    <div className="space-y-3 px-4 pb-3 text-xs">
      <p className="text-muted">
        <code className="font-mono break-all">{delivery.id}</code> · {t("attempts", { count: delivery.attempts })}
        {next === null ? null : <> · {t.rich("next", { time: () => <TimeAgo time={next} /> })}</>}
      </p>
      {delivery.error === null ? null : <p className="break-words text-bad">{delivery.error}</p>}
      <Body label={t("payload")} text={prettyJson(delivery.payload)} />
      {delivery.answer === null || delivery.answer === "" ? null : <Body label={t("answer")} text={prettyJson(delivery.answer)} />}
      <Button size="sm" isPending={again.isPending} onClick={() => again.mutate()}>
        {t("redeliver")}
      </Button>
    </div>
  );
}

function Body({ label, text }: { label: string; text: string }): ReactNode {
  return (
    <div>
      <p className="mb-1 text-muted">{label}</p>
      <pre tabIndex={0} className="max-h-56 overflow-auto rounded-md border bg-hover px-3 py-2 font-mono text-xs">
        {text}
      </pre>
    </div>
  );
}
