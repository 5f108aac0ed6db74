"use client";

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRouter } from "next/navigation";
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { Button } from "@/components/ui/button.tsx";
import { Dialog, DialogActions } from "@/components/ui/dialog.tsx";
import { Field } from "@/components/ui/field.tsx";
import { Input } from "@/components/ui/input.tsx";
import { errorMessage, useTRPC } from "@/trpc/client.ts";

export type RenameContainerProps = { host: string; id: string; name: string; onClose: () => void };

export function RenameContainerDialog({ host, id, name, onClose }: RenameContainerProps): ReactNode {
  const t = useTranslations("container.rename");
  const common = useTranslations("common");
  const actions = useTranslations("actions");
  const trpc = useTRPC();
  const router = useRouter();
  const queryClient = useQueryClient();
  const [next, setNext] = useState(name);
  const rename = useMutation(
    trpc.containers.rename.mutationOptions({
      onSuccess: (_result, input) => {
        onClose();
        // The address holds the name: the page moves with it.
        router.replace(`/containers/${encodeURIComponent(host)}/${encodeURIComponent(input.name)}${window.location.search}`);
        void queryClient.invalidateQueries({ queryKey: trpc.containers.list.pathKey() });
      },
    }),
  );
  return (
    <Dialog isOpen onOpenChange={onClose} title={t("title", { name })}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          rename.mutate({ host, id, name: next.trim() });
        }}
      >
        <Field label={t("label")} error={rename.error === null ? undefined : errorMessage(rename.error)}>
          {(ids) => <Input {...ids} autoFocus value={next} onChange={(event) => setNext(event.target.value)} />}
        </Field>
        <DialogActions>
          <Button onClick={onClose}>{common("cancel")}</Button>
          <Button type="submit" variant="primary" disabled={next.trim() === "" || next.trim() === name} isPending={rename.isPending}>
            {actions("rename")}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
