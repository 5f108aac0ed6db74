"use client";

import { useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { Button } from "@/components/ui/button.tsx";
import { CheckField } from "@/components/ui/checkbox.tsx";
import { Dialog, DialogActions } from "@/components/ui/dialog.tsx";
import { imageLabel, imageNames } from "@/lib/image-row.ts";
import { errorMessage, useTRPC, useTRPCClient } from "@/trpc/client.ts";

export type RemovableImage = { Id: string; RepoTags: readonly string[]; host: { name: string } };
export type RemoveImageDialogProps = { image: RemovableImage | null; onClose: () => void; onRemoved?: (isGone: boolean) => void };

/** Removes an image, or some of its names: with one of several names gone the image stays under the others. Nothing is ever forced. */
export function RemoveImageDialog({ image, onClose, onRemoved }: RemoveImageDialogProps): ReactNode {
  const t = useTranslations("images.remove");
  return (
    <Dialog
      isOpen={image !== null}
      onOpenChange={(isOpen) => {
        if (!isOpen) onClose();
      }}
      title={t("title", { name: image === null ? "" : imageLabel(image) })}
    >
      {image === null ? null : <RemoveForm image={image} onClose={onClose} onRemoved={onRemoved} />}
    </Dialog>
  );
}

type RemoveFormProps = { image: RemovableImage; onClose: () => void; onRemoved: ((isGone: boolean) => void) | undefined };

function RemoveForm({ image, onClose, onRemoved }: RemoveFormProps): ReactNode {
  const t = useTranslations("images.remove");
  const common = useTranslations("common");
  const names = imageNames(image);
  const isChoice = names.length > 1;
  const [chosen, setChosen] = useState<readonly string[]>(isChoice ? [] : names);
  const { remove, isPending, error } = useRemoval(image);
  const isGone = chosen.length === names.length;
  const start = (): void => {
    if (isPending || (isChoice && chosen.length === 0)) return;
    void remove(names.length === 0 ? [image.Id] : chosen).then((isDone) => {
      if (!isDone) return;
      onClose();
      onRemoved?.(isGone);
    });
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        start();
      }}
    >
      <p className="text-sm text-muted">{isChoice ? t("which", { count: names.length }) : t("body", { host: image.host.name })}</p>
      {isChoice ? (
        <fieldset className="mt-3 max-h-60 space-y-1.5 overflow-y-auto">
          <legend className="sr-only">{t("names")}</legend>
          {names.map((name) => (
            <CheckField
              key={name}
              label={<span className="break-all">{name}</span>}
              checked={chosen.includes(name)}
              onChange={(event) => setChosen(event.target.checked ? [...chosen, name] : chosen.filter((one) => one !== name))}
            />
          ))}
        </fieldset>
      ) : null}
      {isChoice ? <p className="mt-3 text-sm text-muted">{isGone ? t("body", { host: image.host.name }) : t("stays")}</p> : null}
      {error === null ? null : (
        <p role="alert" className="mt-3 text-sm break-words text-bad">
          {error}
        </p>
      )}
      <DialogActions>
        <Button autoFocus onClick={onClose}>
          {common("cancel")}
        </Button>
        <Button type="submit" variant="danger" isPending={isPending} disabled={isChoice && chosen.length === 0}>
          {isGone ? t("action") : t("untag", { count: chosen.length })}
        </Button>
      </DialogActions>
    </form>
  );
}

function useRemoval(image: RemovableImage) {
  const trpc = useTRPC();
  const client = useTRPCClient();
  const queryClient = useQueryClient();
  const [isPending, setPending] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const remove = async (names: readonly string[]): Promise<boolean> => {
    setPending(true);
    setError(null);
    try {
      for (const id of names) await client.images.remove.mutate({ host: image.host.name, id, force: false });
      return true;
    } catch (cause) {
      setError(errorMessage(cause));
      return false;
    } finally {
      setPending(false);
      await queryClient.invalidateQueries({ queryKey: trpc.images.pathKey() });
    }
  };
  return { remove, isPending, error };
}
