"use client";

import { useQuery } from "@tanstack/react-query";
import { Play } from "lucide-react";
import Link from "next/link";
import { useParams } from "next/navigation";
import { type ReactNode, useMemo } from "react";
import { useTranslations } from "use-intl";
import { ContainerInspect } from "@/components/containers/container-inspect.tsx";
import { ImageLayers } from "@/components/images/image-layers.tsx";
import { PageTitle } from "@/components/page-title.tsx";
import { TimeAgo } from "@/components/time-ago.tsx";
import { Button } from "@/components/ui/button.tsx";
import { CopyButton } from "@/components/ui/copy-button.tsx";
import { PageHeader } from "@/components/ui/page-header.tsx";
import { type Fact, Facts, Panel } from "@/components/ui/panel.tsx";
import { ErrorState, Skeleton } from "@/components/ui/states.tsx";
import { Badge } from "@/components/ui/status-dot.tsx";
import { formatBytes, parseTime, shortId } from "@/lib/format.ts";
import { imageLabel, imageNames } from "@/lib/image-row.ts";
import { type ImageDetails, imageInspectSchema } from "@/lib/inspect.ts";
import { joinWords } from "@/lib/shell-words.ts";
import { errorMessage, useTRPC } from "@/trpc/client.ts";

/** One image on one host: its names, what it starts, and what each layer adds. */
export function ImagePage(): ReactNode {
  const t = useTranslations("image");
  const trpc = useTRPC();
  const params = useParams<{ host: string; id: string }>();
  const ref = { host: decodeURIComponent(params.host), id: decodeURIComponent(params.id) };
  const query = useQuery(trpc.images.inspect.queryOptions(ref));
  const details = useMemo(() => (query.data === undefined ? undefined : imageInspectSchema.safeParse(query.data)), [query.data]);
  if (query.isPending) {
    return (
      <>
        <PageTitle text={t("title")} isHidden />
        <Skeleton className="mb-4 h-8 w-56" />
        <Skeleton className="h-72" />
      </>
    );
  }
  if (details?.success !== true) {
    return (
      <>
        <PageTitle text={t("title")} isHidden />
        <ErrorState
          title={t("loadFailed")}
          message={query.error === null ? t("unreadable") : errorMessage(query.error)}
          onRetry={() => void query.refetch()}
        />
      </>
    );
  }
  const image = details.data;
  const name = imageLabel(image);
  return (
    <>
      <PageTitle text={name} />
      <PageHeader
        title={name}
        meta={
          <Link href={`/hosts/${encodeURIComponent(ref.host)}`} className="text-sm text-muted hover:text-ink hover:underline">
            {ref.host}
          </Link>
        }
        actions={
          <Button asChild>
            <Link href={`/run?host=${encodeURIComponent(ref.host)}&image=${encodeURIComponent(name)}`}>
              <Play />
              {t("run")}
            </Link>
          </Button>
        }
      />
      <div className="space-y-4">
        <Panel title={t("about")}>
          <ImageFacts image={image} />
        </Panel>
        <ImageLayers host={ref.host} id={image.Id} />
        <details className="rounded-lg border bg-panel">
          <summary className="px-4 py-2.5 text-sm font-semibold">{t("json")}</summary>
          <div className="border-t p-4">
            <ContainerInspect raw={query.data} />
          </div>
        </details>
      </div>
    </>
  );
}

function ImageFacts({ image }: { image: ImageDetails }): ReactNode {
  const t = useTranslations("image");
  const config = image.Config;
  const created = parseTime(image.Created);
  const names = imageNames(image);
  const optional: [string, string][] = [
    [t("entrypoint"), joinWords(config?.Entrypoint ?? [])],
    [t("command"), joinWords(config?.Cmd ?? [])],
    [t("workingDir"), config?.WorkingDir ?? ""],
    [t("user"), config?.User ?? ""],
    [t("ports"), Object.keys(config?.ExposedPorts ?? {}).join(", ")],
    [t("volumes"), Object.keys(config?.Volumes ?? {}).join(", ")],
  ];
  const facts: Fact[] = [
    {
      label: t("names"),
      value:
        names.length === 0 ? (
          <span className="text-muted">{t("noNames")}</span>
        ) : (
          <span className="flex flex-wrap gap-1">
            {names.map((name) => (
              <Badge key={name} className="h-auto font-normal break-all whitespace-normal">
                {name}
              </Badge>
            ))}
          </span>
        ),
    },
    {
      label: t("id"),
      isMono: true,
      value: (
        <span className="inline-flex h-5 items-center gap-1">
          {shortId(image.Id)}
          <CopyButton text={image.Id} className="-my-1" />
        </span>
      ),
    },
    { label: t("size"), value: <span className="tnum">{formatBytes(image.Size)}</span> },
    { label: t("platform"), value: `${image.Os}/${image.Architecture}` },
    ...(created === null ? [] : [{ label: t("created"), value: <TimeAgo time={created} /> }]),
    ...optional.filter(([, value]) => value !== "").map(([label, value]) => ({ label, value, isMono: true })),
  ];
  return <Facts items={facts} />;
}
