"use client";

import { useQuery } from "@tanstack/react-query";
import { Play, Trash2, Upload } from "lucide-react";
import dynamic from "next/dynamic";
import { Link } from "@/components/ui/link.tsx";
import { useParams, useRouter } from "next/navigation";
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { ContainerInspect } from "@/components/containers/container-inspect.tsx";
import { EnvironmentPanel } from "@/components/containers/environment-panel.tsx";
import { DetailHeader, DetailPage } from "@/components/frame/detail-page.tsx";
import { useParsed } from "@/components/frame/loadable.ts";
import { ImageLayers } from "@/components/images/image-layers.tsx";
import { ImageNames } from "@/components/images/image-names.tsx";
import { ImageUsedBy } from "@/components/images/image-used-by.tsx";
import { TimeAgo } from "@/components/time-ago.tsx";
import { May } from "@/components/may.tsx";
import { Button } from "@/components/ui/button.tsx";
import { CopyButton } from "@/components/ui/copy-button.tsx";
import { type Fact, Facts, Panel } from "@/components/ui/panel.tsx";
import { formatBytes, parseTime, shortId } from "@/lib/format.ts";
import { imageLabel, imageNames } from "@/lib/image-row.ts";
import { type ImageDetails, imageInspectSchema } from "@/lib/inspect.ts";
import { joinWords } from "@/lib/shell-words.ts";
import { useTRPC } from "@/trpc/client.ts";

const PushDialog = dynamic(() => import("@/components/images/push-dialog.tsx").then((found) => found.PushDialog), { ssr: false });
const RemoveImageDialog = dynamic(() => import("@/components/images/remove-image-dialog.tsx").then((found) => found.RemoveImageDialog), {
  ssr: false,
});

/** One image on one host: its names, what it starts, and what each layer adds. */
export function ImagePage(): ReactNode {
  const t = useTranslations("image");
  const trpc = useTRPC();
  const params = useParams<{ host: string; id: string }>();
  const ref = { host: decodeURIComponent(params.host), id: decodeURIComponent(params.id) };
  const query = useParsed(useQuery(trpc.images.inspect.queryOptions(ref)), imageInspectSchema, t("unreadable"));
  return (
    <DetailPage name={ref.id} query={query} failed={t("loadFailed")} parent="/images">
      {({ details, raw }) => <Loaded host={ref.host} image={details} raw={raw} />}
    </DetailPage>
  );
}

function Loaded({ host, image, raw }: { host: string; image: ImageDetails; raw: unknown }): ReactNode {
  const t = useTranslations("image");
  return (
    <>
      <DetailHeader
        title={imageLabel(image)}
        facts={[
          <Link key="host" href={`/hosts/${encodeURIComponent(host)}`} className="hover:text-ink hover:underline">
            {host}
          </Link>,
        ]}
        actions={<ImageButtons image={image} host={host} />}
      />
      <div className="space-y-4">
        <Panel title={t("about")}>
          <ImageFacts image={image} host={host} />
        </Panel>
        <ImageUsedBy host={host} id={image.Id} />
        <ImageLayers host={host} id={image.Id} />
        <EnvironmentPanel env={image.Config?.Env ?? []} labels={image.Config?.Labels ?? {}} />
        <details className="rounded-lg border bg-panel">
          <summary className="px-4 py-2.5 text-sm font-semibold">{t("json")}</summary>
          <div className="border-t p-4">
            <ContainerInspect raw={raw} />
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
      <May right="image.change" host={host}>
        <Button disabled={names.length === 0} onClick={() => setOpen("push")}>
          <Upload />
          {t("push.action")}
        </Button>
      </May>
      <May right="image.remove" host={host}>
        <Button variant="dangerOutline" onClick={() => setOpen("remove")}>
          <Trash2 />
          {t("remove")}
        </Button>
      </May>
      <May right="container.run" host={host}>
        <Button asChild variant="primary">
          <Link href={`/run?host=${encodeURIComponent(host)}&image=${encodeURIComponent(imageLabel(image))}`}>
            <Play />
            {t("run")}
          </Link>
        </Button>
      </May>
      {open === "push" ? <PushDialog isOpen onClose={() => setOpen(null)} host={host} names={names} /> : null}
      {open === "remove" ? (
        <RemoveImageDialog
          image={{ ...image, host: { name: host } }}
          onClose={() => setOpen(null)}
          onRemoved={(isGone) => {
            if (isGone) router.push("/images");
          }}
        />
      ) : null}
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
