"use client";

import { useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { useTranslations } from "use-intl";
import { HostSelect, useOnlineHosts } from "@/components/hosts/host-select.tsx";
import { Button } from "@/components/ui/button.tsx";
import { Dialog, DialogActions } from "@/components/ui/dialog.tsx";
import { Field } from "@/components/ui/field.tsx";
import { Input, Textarea } from "@/components/ui/input.tsx";
import { Segmented } from "@/components/ui/segmented.tsx";
import { UploadBar } from "@/components/images/upload-bar.tsx";
import { uploadImage, type UploadProgress } from "@/lib/upload-image.ts";
import { notify } from "@/lib/notify.ts";
import { errorMessage, useTRPC } from "@/trpc/client.ts";

export type UploadDialogProps = { isOpen: boolean; onClose: () => void; host?: string };

/** Brings an image to a host from a file: an archive of `docker save`, or a root file system with a start command. */
export function UploadDialog({ isOpen, onClose, host }: UploadDialogProps): ReactNode {
  const t = useTranslations("images.upload");
  return (
    <Dialog
      isOpen={isOpen}
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
      title={t("title")}
      description={t("description")}
      className="max-w-lg"
    >
      <UploadForm onClose={onClose} host={host ?? ""} />
    </Dialog>
  );
}

type Kind = "archive" | "rootfs";

function UploadForm({ onClose, host: givenHost }: { onClose: () => void; host: string }): ReactNode {
  const t = useTranslations("images.upload");
  const common = useTranslations("common");
  const hosts = useOnlineHosts();
  const [chosenHost, setHost] = useState(givenHost);
  const [kind, setKind] = useState<Kind>("archive");
  const [file, setFile] = useState<File | null>(null);
  const [name, setName] = useState("");
  const [changes, setChanges] = useState('CMD ["/bin/sh"]');
  const upload = useUpload(onClose);
  const host = chosenHost === "" ? (hosts[0]?.name ?? "") : chosenHost;
  const isReady = host !== "" && file !== null && (kind === "archive" || name.trim() !== "");
  const start = (): void => {
    if (file === null || !isReady) return;
    const [repo, tag] = splitName(name.trim());
    const lines = changes
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => line !== "");
    upload.start(kind === "archive" ? { host, file } : { host, file, import: { repo, tag, changes: lines } });
  };
  return (
    <form
      className="space-y-4"
      onSubmit={(event) => {
        event.preventDefault();
        start();
      }}
    >
      <Segmented
        label={t("kind")}
        value={kind}
        onChange={setKind}
        items={[
          { id: "archive", label: t("archive") },
          { id: "rootfs", label: t("rootfs") },
        ]}
      />
      <Field label={t("host")}>{(ids) => <HostSelect {...ids} value={host} onChange={setHost} />}</Field>
      <Field label={t("file")} hint={t(kind === "archive" ? "archiveHint" : "rootfsHint")}>
        {(ids) => (
          <input
            {...ids}
            type="file"
            accept=".tar,.tar.gz,.tgz,.tar.zst,application/x-tar,application/gzip"
            onChange={(event) => setFile(event.target.files?.[0] ?? null)}
            className="w-full text-sm file:mr-3 file:h-8 file:cursor-pointer file:rounded-md file:border file:border-solid file:border-line-strong file:bg-panel file:px-3 file:text-sm file:font-medium file:text-ink"
          />
        )}
      </Field>
      {kind === "rootfs" ? (
        <>
          <Field label={t("name")}>
            {(ids) => <Input {...ids} value={name} onChange={(event) => setName(event.target.value)} placeholder="nginx:1.27" />}
          </Field>
          <Field label={t("changes")} hint={t("changesHint")}>
            {(ids) => (
              <Textarea
                {...ids}
                rows={3}
                className="font-mono text-xs"
                value={changes}
                onChange={(event) => setChanges(event.target.value)}
              />
            )}
          </Field>
        </>
      ) : null}
      {upload.progress === null ? null : <UploadBar progress={upload.progress} />}
      {upload.error === null ? null : (
        <p role="alert" className="text-sm break-words text-bad">
          {upload.error}
        </p>
      )}
      <DialogActions>
        <Button onClick={onClose}>{common("cancel")}</Button>
        <Button type="submit" variant="primary" disabled={!isReady} isPending={upload.progress !== null}>
          {t("action")}
        </Button>
      </DialogActions>
    </form>
  );
}

/** `team/web:1` → its repository and tag; `latest` when it names none. A colon before a slash is a registry's port. */
function splitName(name: string): [string, string] {
  const at = name.lastIndexOf(":");
  return at > name.lastIndexOf("/") && at > 0 ? [name.slice(0, at), name.slice(at + 1)] : [name, "latest"];
}

function useUpload(onDone: () => void) {
  const t = useTranslations("images.upload");
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const [progress, setProgress] = useState<UploadProgress | null>(null);
  const [error, setError] = useState<string | null>(null);
  const running = useRef<AbortController | null>(null);
  useEffect(() => () => running.current?.abort(), []);
  const start = (request: Parameters<typeof uploadImage>[0]): void => {
    const controller = new AbortController();
    running.current = controller;
    setError(null);
    setProgress({ sentBytes: 0, totalBytes: request.file.size, status: "" });
    uploadImage(request, setProgress, controller.signal)
      .then(
        async (status) => {
          await queryClient.invalidateQueries({ queryKey: trpc.images.pathKey() });
          notify("success", t("done", { name: request.file.name }), { description: status });
          onDone();
        },
        (cause: unknown) => {
          if (!controller.signal.aborted) setError(errorMessage(cause));
        },
      )
      .finally(() => setProgress(null));
  };
  return { progress, error, start };
}
