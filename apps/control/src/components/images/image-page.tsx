"use client";

import { useQuery } from "@tanstack/react-query";
import { Play, Trash2, Upload } from "lucide-react";
import Link from "next/link";
import { useParams, useRouter } from "next/navigation";
import { type ReactNode, useMemo, useState } from "react";
import { useTranslations } from "use-intl";
import { ContainerInspect } from "@/components/containers/container-inspect.tsx";
import { EnvironmentPanel } from "@/components/containers/environment-panel.tsx";
import { ImageLayers } from "@/components/images/image-layers.tsx";
import { ImageNames } from "@/components/images/image-names.tsx";
import { ImageUsedBy } from "@/components/images/image-used-by.tsx";
import { PushDialog } from "@/components/images/push-dialog.tsx";
import { RemoveImageDialog } from "@/components/images/remove-image-dialog.tsx";
import { PageTitle } from "@/components/page-title.tsx";
import { TimeAgo } from "@/components/time-ago.tsx";
import { Button } from "@/components/ui/button.tsx";
import { CopyButton } from "@/components/ui/copy-button.tsx";
import { PageHeader } from "@/components/ui/page-header.tsx";
import { type Fact, Facts, Panel } from "@/components/ui/panel.tsx";
import { ErrorState, Skeleton } from "@/components/ui/states.tsx";
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
        actions={<ImageButtons image={image} host={ref.host} />}
      />
      <div className="space-y-4">
        <Panel title={t("about")}>
          <ImageFacts image={image} host={ref.host} />
        </Panel>
        <ImageUsedBy host={ref.host} id={image.Id} />
        <ImageLayers host={ref.host} id={image.Id} />
        <EnvironmentPanel env={image.Config?.Env ?? []} labels={image.Config?.Labels ?? {}} />
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

function ImageButtons({ image, host }: { image: ImageDetails; host: string }): ReactNode {
  const t = useTranslations("image");
  const router = useRouter();
  const [open, setOpen] = useState<"push" | "remove" | null>(null);
  const names = imageNames(image);
  return (
    <div className="flex flex-wrap gap-2">
      <Button disabled={names.length === 0} onClick={() => setOpen("push")}>
        <Upload />
        {t("push.action")}
      </Button>
      <Button variant="dangerOutline" onClick={() => setOpen("remove")}>
        <Trash2 />
        {t("remove")}
      </Button>
      <Button asChild variant="primary">
        <Link href={`/run?host=${encodeURIComponent(host)}&image=${encodeURIComponent(imageLabel(image))}`}>
          <Play />
          {t("run")}
        </Link>
      </Button>
      <PushDialog isOpen={open === "push"} onClose={() => setOpen(null)} host={host} names={names} />
      <RemoveImageDialog
        image={open === "remove" ? { ...image, host: { name: host } } : null}
        onClose={() => setOpen(null)}
        onRemoved={(isGone) => {
          if (isGone) router.push("/images");
        }}
      />
    </div>
  );
}

function ImageFacts({ image, host }: { image: ImageDetails; host: string }): ReactNode {
  const t = useTranslations("image");
  const config = image.Config;
  const created = parseTime(image.Created);
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
      value: <ImageNames host={host} id={image.Id} names={imageNames(image)} />,
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
    ...image.RepoDigests.map((digest) => ({ label: t("digest"), value: <span className="break-all">{digest}</span>, isMono: true })),
    ...optional.filter(([, value]) => value !== "").map(([label, value]) => ({ label, value, isMono: true })),
  ];
  return <Facts items={facts} />;
}
