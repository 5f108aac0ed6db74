"use client";

import { Download, Hammer, Upload } from "lucide-react";
import dynamic from "next/dynamic";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { May, useMay } from "@/components/may.tsx";
import { Button } from "@/components/ui/button.tsx";
import { useUrlState } from "@/components/use-url-state.ts";

const PullDialog = dynamic(() => import("@/components/images/pull-dialog.tsx").then((found) => found.PullDialog), { ssr: false });
const BuildDialog = dynamic(() => import("@/components/images/build-dialog.tsx").then((found) => found.BuildDialog), { ssr: false });
const UploadDialog = dynamic(() => import("@/components/images/upload-dialog.tsx").then((found) => found.UploadDialog), { ssr: false });

/** The ways by which an image comes to a host. Which one is open stands in the address. */
export function ImageActions({ host }: { host?: string }): ReactNode {
  const t = useTranslations("images");
  const url = useUrlState();
  return (
    <div className="flex flex-wrap items-center gap-2">
      <May right="image.pull" host={host}>
        <Button onClick={() => url.set({ pull: "1" })}>
          <Download />
          {t("pull.action")}
        </Button>
      </May>
      <May right="image.change" host={host}>
        <Button onClick={() => url.set({ build: "1" })}>
          <Hammer />
          {t("build.action")}
        </Button>
      </May>
      <May right="image.change" host={host}>
        <Button onClick={() => url.set({ upload: "1" })}>
          <Upload />
          {t("upload.open")}
        </Button>
      </May>
    </div>
  );
}

/** The dialogs of these actions; each comes with its first use. */
export function ImageDialogs({ host }: { host?: string }): ReactNode {
  const url = useUrlState();
  const may = useMay();
  const given = host === undefined ? {} : { host };
  return (
    <>
      {url.get("pull") === "1" && may("image.pull", host) ? <PullDialog isOpen onClose={() => url.set({ pull: null })} {...given} /> : null}
      {url.get("build") === "1" && may("image.change", host) ? (
        <BuildDialog isOpen onClose={() => url.set({ build: null })} {...given} />
      ) : null}
      {url.get("upload") === "1" && may("image.change", host) ? (
        <UploadDialog isOpen onClose={() => url.set({ upload: null })} {...given} />
      ) : null}
    </>
  );
}
