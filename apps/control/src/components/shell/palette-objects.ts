"use client";

import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { useTranslations } from "use-intl";
import type { PaletteEntry } from "@/components/shell/palette-entry.ts";
import { imageHref, imageLabel } from "@/lib/image-row.ts";
import { toNetworkRows } from "@/lib/network-row.ts";
import { repositoryHref } from "@/lib/registry-path.ts";
import { stackHref } from "@/lib/stack-href.ts";
import { isAnonymous, volumeHref, volumeKey } from "@/lib/volume-row.ts";
import { useTRPC } from "@/trpc/client.ts";

/** Stacks, hosts, images, volumes, networks and repositories: asked for while the palette is open, kept by the event stream. */
export function useObjectEntries(): PaletteEntry[] {
  const trpc = useTRPC();
  const t = useTranslations("palette.kinds");
  const { data: stacks } = useQuery(trpc.stacks.list.queryOptions());
  const { data: hosts } = useQuery(trpc.hosts.list.queryOptions());
  const { data: images } = useQuery(trpc.images.list.queryOptions({}));
  const { data: volumes } = useQuery(trpc.volumes.list.queryOptions({}));
  const { data: networks } = useQuery(trpc.networks.list.queryOptions({}));
  const { data: repositories } = useQuery(trpc.registry.repositories.list.queryOptions());
  return useMemo(() => {
    const entry = (kind: "stack" | "host" | "image" | "volume" | "network" | "repository", one: Named): PaletteEntry => ({
      id: `${kind}:${one.key}`,
      group: kind === "stack" ? "stacks" : kind === "host" ? "hosts" : "objects",
      label: one.name,
      hint: one.host === undefined ? t(kind) : `${t(kind)} · ${one.host}`,
      keywords: kind,
      href: one.href,
    });
    return [
      ...(stacks ?? []).map((one) => entry("stack", { key: one.id, name: one.name, href: stackHref(one) })),
      ...(hosts ?? []).map((one) => entry("host", { key: one.id, name: one.name, href: `/hosts/${encodeURIComponent(one.name)}` })),
      ...(networks === undefined ? [] : toNetworkRows(networks, []))
        .filter((one) => !one.isPredefined)
        .map((one) => entry("network", { key: one.key, name: one.name, href: one.href, host: one.host ?? undefined })),
      ...(volumes?.items ?? [])
        .filter((one) => !isAnonymous(one.Name))
        .map((one) => entry("volume", { key: volumeKey(one), name: one.Name, href: volumeHref(one), host: one.host.name })),
      ...(images?.items ?? []).map((one) =>
        entry("image", { key: `${one.host.id}/${one.Id}`, name: imageLabel(one), href: imageHref(one), host: one.host.name }),
      ),
      ...(repositories ?? []).map((one) => entry("repository", { key: one.path, name: one.path, href: repositoryHref(one.path) })),
    ];
  }, [t, stacks, hosts, images, volumes, networks, repositories]);
}

type Named = { key: string; name: string; href: string; host?: string | undefined };
