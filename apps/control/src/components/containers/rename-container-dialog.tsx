"use client";

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRouter } from "next/navigation";
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { FormDialog } from "@/components/form/form-dialog.tsx";
import { Field } from "@/components/ui/field.tsx";
import { Input } from "@/components/ui/input.tsx";
import { useTRPC } from "@/trpc/client.ts";

export type RenameContainerProps = { host: string; id: string; name: string; onClose: () => void };

export function RenameContainerDialog({ host, id, name, onClose }: RenameContainerProps): ReactNode {
  const t = useTranslations("container.rename");
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
    <FormDialog
      title={t("title", { name })}
      onClose={onClose}
      action={actions("rename")}
      isReady={next.trim() !== "" && next.trim() !== name}
      onSubmit={() => rename.mutate({ host, id, name: next.trim() })}
      work={rename}
    >
      <Field label={t("label")}>
        {(ids) => <Input {...ids} autoFocus value={next} onChange={(event) => setNext(event.target.value)} />}
      </Field>
    </FormDialog>
  );
}
