"use client";

import { useQuery } from "@tanstack/react-query";
import dynamic from "next/dynamic";
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { Button } from "@/components/ui/button.tsx";
import { Link } from "@/components/ui/link.tsx";
import { Panel } from "@/components/ui/panel.tsx";
import { PartialNotice } from "@/components/ui/states.tsx";
import { hostHref } from "@/lib/host-href.ts";
import { errorMessage, useTRPC } from "@/trpc/client.ts";
import type { OutsideProject } from "@/trpc/types.ts";

const AdoptDialog = dynamic(() => import("@/components/stacks/adopt-dialog.tsx").then((found) => found.AdoptDialog), { ssr: false });

/** Compose projects that run on the hosts, or on one, and belong to no stack. Nothing when there are none. */
export function OutsideProjects({ host }: { host?: string }): ReactNode {
  const t = useTranslations("stacks.outside");
  const trpc = useTRPC();
  const query = useQuery(trpc.stacks.outside.queryOptions(host === undefined ? {} : { host }));
  const [adopted, setAdopted] = useState<OutsideProject | null>(null);
  // Of one host the page itself says that it does not answer.
  const errors = host === undefined ? (query.data?.errors ?? []) : [];
  const items = query.data?.items ?? [];
  if (query.error !== null) return <PartialNotice>{`${t("loadFailed")}: ${errorMessage(query.error)}`}</PartialNotice>;
  if (items.length === 0 && errors.length === 0) return null;
  return (
    <Panel title={t("title")} isFlush>
      <p className="px-4 pt-3 text-sm text-muted">{t("body")}</p>
      {errors.map((error) => (
        <div key={error.host.id} className="px-4 pt-2">
          <PartialNotice>{`${error.host.name}: ${error.message}`}</PartialNotice>
        </div>
      ))}
      <ul className="divide-y" data-outside={items.length}>
        {items.map((item) => (
          <li key={`${item.host.id} ${item.project}`} className="flex flex-wrap items-center gap-x-4 gap-y-2 px-4 py-3">
            <ProjectText item={item} hasHost={host === undefined} />
            {item.canAdopt ? (
              <Button
                size="sm"
                onClick={() => setAdopted(item)}
                aria-label={t("adoptNamed", { project: item.project, host: item.host.name })}
              >
                {t("adopt")}
              </Button>
            ) : null}
          </li>
        ))}
      </ul>
      {adopted === null ? null : <AdoptDialog project={adopted.project} host={adopted.host} onClose={() => setAdopted(null)} />}
    </Panel>
  );
}

function ProjectText({ item, hasHost }: { item: OutsideProject; hasHost: boolean }): ReactNode {
  const t = useTranslations("stacks.outside");
  return (
    <div className="min-w-0 flex-1 basis-48">
      <p className="flex flex-wrap items-baseline gap-x-2">
        <span className="font-medium break-all">{item.project}</span>
        {hasHost ? (
          <Link href={hostHref(item.host)} className="text-sm text-muted hover:underline">
            {t("onHost", { host: item.host.name })}
          </Link>
        ) : null}
      </p>
      <p className="text-xs break-words text-muted">
        {t("running", { running: item.running, containers: item.containers })} · {item.services.map(({ name }) => name).join(", ")}
      </p>
    </div>
  );
}
