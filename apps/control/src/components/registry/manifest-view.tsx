"use client";

import { useQuery } from "@tanstack/react-query";
import { ArrowLeft } from "lucide-react";
import { Link } from "@/components/ui/link.tsx";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { useRegistryName } from "@/components/registry/push-commands.tsx";
import { TimeAgo } from "@/components/time-ago.tsx";
import { Command } from "@/components/ui/copy-button.tsx";
import { type Fact, Facts, Panel } from "@/components/ui/panel.tsx";
import { ErrorState, Skeleton } from "@/components/ui/states.tsx";
import { formatBytes, parseTime } from "@/lib/format.ts";
import { repositoryHref, shortDigest, shortType } from "@/lib/registry-path.ts";
import { joinWords } from "@/lib/shell-words.ts";
import { errorMessage, useTRPC } from "@/trpc/client.ts";
import type { ManifestDetail } from "@/trpc/types.ts";

/** What is in an image or index: its configuration, layers, history, and what refers to it. */
export function ManifestView({ repository, reference }: { repository: string; reference: string }): ReactNode {
  const t = useTranslations("registry.manifest");
  const trpc = useTRPC();
  const registry = useRegistryName();
  const query = useQuery(trpc.registry.manifests.get.queryOptions({ repository, reference }));
  const back = (
    <Link href={repositoryHref(repository)} className="mb-3 inline-flex items-center gap-1 text-sm text-muted hover:text-ink">
      <ArrowLeft className="size-3.5" /> {t("back")}
    </Link>
  );
  if (query.isPending) return <Skeleton className="h-72" />;
  if (query.isError) {
    return (
      <>
        {back}
        <ErrorState title={t("loadFailed", { name: reference })} message={errorMessage(query.error)} onRetry={() => void query.refetch()} />
      </>
    );
  }
  const image = query.data;
  const separator = reference.startsWith("sha256:") ? "@" : ":";
  return (
    <>
      {back}
      <div className="space-y-4">
        <Command text={`docker pull ${registry}/${repository}${separator}${reference}`} />
        <About image={image} />
        {image.images.length > 0 ? <Images repository={repository} image={image} /> : null}
        {image.history.length > 0 ? <History image={image} /> : <Layers image={image} />}
        <Referrers repository={repository} image={image} />
      </div>
    </>
  );
}

function About({ image }: { image: ManifestDetail }): ReactNode {
  const t = useTranslations("registry.manifest");
  const pushed = parseTime(image.pushedAt);
  const run = image.config?.config;
  const facts: (Fact | null)[] = [
    { label: t("digest"), value: image.digest, isMono: true },
    { label: t("type"), value: shortType(image.mediaType) },
    image.images.length > 0 || image.artifactType === null || image.config !== null
      ? null
      : { label: t("artifact"), value: image.artifactType },
    { label: t("size"), value: formatBytes(image.size) },
    image.config === null
      ? null
      : { label: t("platform"), value: [image.config.os, image.config.architecture, image.config.variant].filter(Boolean).join("/") },
    words(t("entrypoint"), run?.Entrypoint),
    words(t("command"), run?.Cmd),
    text(t("user"), run?.User),
    text(t("workdir"), run?.WorkingDir),
    words(t("ports"), Object.keys(run?.ExposedPorts ?? {})),
    { label: t("tags"), value: image.tags.join(", ") || "–" },
    {
      label: t("pushed"),
      value: (
        <>
          {pushed === null ? null : <TimeAgo time={pushed} />} {t("by", { name: image.pushedBy })}
        </>
      ),
    },
    text(t("subject"), image.subject),
    ...Object.entries(image.annotations).map(([label, value]): Fact => ({ label, value, isMono: true })),
  ];
  return (
    <Panel title={t("about")}>
      <Facts items={facts.filter((fact) => fact !== null)} />
    </Panel>
  );
}

function words(label: string, list: readonly string[] | null | undefined): Fact | null {
  return list === null || list === undefined || list.length === 0 ? null : { label, value: joinWords([...list]), isMono: true };
}

function text(label: string, value: string | null | undefined): Fact | null {
  return value === null || value === undefined || value === "" ? null : { label, value, isMono: true };
}

const ROW = "grid gap-x-4 gap-y-1 border-b px-4 py-2 last:border-b-0 sm:grid-cols-[minmax(0,1fr)_9rem_5rem] sm:items-center";

/** Instructions, newest first, with the size that each added. */
function History({ image }: { image: ManifestDetail }): ReactNode {
  const t = useTranslations("registry.manifest");
  const largest = Math.max(1, ...image.history.map((entry) => entry.size ?? 0));
  return (
    <Panel title={t("history")} isFlush>
      <ol>
        {image.history.toReversed().map((entry, index) => (
          <li key={index} className={ROW}>
            <code className={`font-mono text-xs leading-5 break-all whitespace-pre-wrap ${entry.size === null ? "text-muted" : ""}`}>
              {entry.instruction || t("unknown")}
            </code>
            <Share part={entry.size} of={largest} />
            <span className="tnum text-xs text-muted sm:text-right">{entry.size === null ? t("noSize") : formatBytes(entry.size)}</span>
          </li>
        ))}
      </ol>
    </Panel>
  );
}

function Layers({ image }: { image: ManifestDetail }): ReactNode {
  const t = useTranslations("registry.manifest");
  if (image.layers.length === 0) return null;
  const largest = Math.max(1, ...image.layers.map((layer) => layer.size));
  return (
    <Panel title={t("layers")} isFlush>
      <ol>
        {image.layers.map((layer, index) => (
          <li key={index} className={ROW}>
            <span className="min-w-0 truncate text-xs" title={layer.digest}>
              <code className="font-mono">{shortDigest(layer.digest)}</code>{" "}
              <span className="text-muted">{shortType(layer.mediaType)}</span>
            </span>
            <Share part={layer.size} of={largest} />
            <span className="tnum text-xs text-muted sm:text-right">{formatBytes(layer.size)}</span>
          </li>
        ))}
      </ol>
    </Panel>
  );
}

function Share({ part, of }: { part: number | null; of: number }): ReactNode {
  if (part === null) return <span className="max-sm:hidden" />;
  return (
    <span aria-hidden className="h-1.5 overflow-hidden rounded-full bg-active">
      <span className="block h-full rounded-full bg-muted/70" style={{ width: `${Math.max(1, (part / of) * 100)}%` }} />
    </span>
  );
}

function Images({ repository, image }: { repository: string; image: ManifestDetail }): ReactNode {
  const t = useTranslations("registry.manifest");
  return (
    <Panel title={t("images")} isFlush>
      <ul>
        {image.images.map((child) => (
          <DigestRow
            key={child.digest}
            repository={repository}
            digest={child.digest}
            label={child.platform ?? shortType(child.mediaType)}
          />
        ))}
      </ul>
    </Panel>
  );
}

function Referrers({ repository, image }: { repository: string; image: ManifestDetail }): ReactNode {
  const t = useTranslations("registry.manifest");
  if (image.referrers.length === 0) {
    return (
      <Panel title={t("referrers")}>
        <p className="text-sm text-muted">{t("noReferrers")}</p>
      </Panel>
    );
  }
  return (
    <Panel title={t("referrers")} isFlush>
      <ul>
        {image.referrers.map((referrer) => (
          <DigestRow
            key={referrer.digest}
            repository={repository}
            digest={referrer.digest}
            label={referrer.artifactType ?? shortType(referrer.mediaType)}
          />
        ))}
      </ul>
    </Panel>
  );
}

function DigestRow({ repository, digest, label }: { repository: string; digest: string; label: string }): ReactNode {
  return (
    <li className="flex items-center gap-4 border-b px-4 py-2 text-sm last:border-b-0">
      <Link href={`${repositoryHref(repository)}?ref=${encodeURIComponent(digest)}`} className="min-w-0 flex-1 truncate hover:underline">
        {label}
      </Link>
      <code className="font-mono text-xs text-muted" title={digest}>
        {shortDigest(digest)}
      </code>
    </li>
  );
}
