"use client";

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRouter } from "next/navigation";
import { type ReactNode, useState } from "react";
import { toast } from "sonner";
import { useTranslations } from "use-intl";
import { Button } from "@/components/ui/button.tsx";
import { CheckField } from "@/components/ui/checkbox.tsx";
import { ConfirmDialog } from "@/components/ui/confirm-dialog.tsx";
import { Field } from "@/components/ui/field.tsx";
import { Input } from "@/components/ui/input.tsx";
import { Panel } from "@/components/ui/panel.tsx";
import { useAsked } from "@/components/use-asked.ts";
import { errorMessage, useTRPC, useTRPCClient } from "@/trpc/client.ts";
import type { RepositoryDetail } from "@/trpc/types.ts";

/** Who may read a repository, which of its tags are fixed, and its end. */
export function RepositorySettings({ repository }: { repository: RepositoryDetail }): ReactNode {
  const t = useTranslations("registry.settings");
  const common = useTranslations("common");
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const [isPublic, setPublic] = useState(repository.isPublic);
  const [immutable, setImmutable] = useState(repository.immutableTags ?? "");
  const [description, setDescription] = useState(repository.description);
  const save = useMutation(
    trpc.registry.repositories.update.mutationOptions({
      onSuccess: async () => {
        toast.success(common("saved"));
        await queryClient.invalidateQueries({ queryKey: trpc.registry.repositories.pathKey() });
      },
    }),
  );
  return (
    <div className="space-y-4">
      <Panel title={t("title")}>
        <form
          className="max-w-xl space-y-4"
          onSubmit={(event) => {
            event.preventDefault();
            save.mutate({
              repository: repository.path,
              isPublic,
              description: description.trim(),
              immutableTags: immutable.trim() === "" ? null : immutable.trim(),
            });
          }}
        >
          <CheckField label={t("public")} hint={t("publicHint")} checked={isPublic} onChange={(event) => setPublic(event.target.checked)} />
          <Field label={t("immutable")} hint={t("immutableHint")}>
            {(ids) => (
              <Input {...ids} className="max-w-60 font-mono" value={immutable} onChange={(event) => setImmutable(event.target.value)} />
            )}
          </Field>
          <Field label={t("description")} error={save.error === null ? undefined : errorMessage(save.error)}>
            {(ids) => <Input {...ids} maxLength={500} value={description} onChange={(event) => setDescription(event.target.value)} />}
          </Field>
          <Button type="submit" variant="primary" isPending={save.isPending}>
            {t("save")}
          </Button>
        </form>
      </Panel>
      <DeleteRepository path={repository.path} />
    </div>
  );
}

function DeleteRepository({ path }: { path: string }): ReactNode {
  const t = useTranslations("registry.settings");
  const trpc = useTRPC();
  const client = useTRPCClient();
  const queryClient = useQueryClient();
  const router = useRouter();
  const removal = useAsked(async (repository: string) => {
    await client.registry.repositories.delete.mutate({ repository });
    router.push("/registry");
    await queryClient.invalidateQueries({ queryKey: trpc.registry.repositories.list.queryKey() });
  });
  return (
    <Panel title={t("dangerTitle")}>
      <p className="mb-3 text-sm text-muted">{t("dangerBody")}</p>
      <Button variant="dangerOutline" onClick={() => removal.ask(path)}>
        {t("delete")}
      </Button>
      <ConfirmDialog
        isOpen={removal.subject !== null}
        onOpenChange={removal.close}
        title={t("deleteTitle", { name: path })}
        body={<p>{t("dangerBody")}</p>}
        typeToConfirm={path}
        confirmLabel={t("delete")}
        isPending={removal.isPending}
        error={removal.error}
        onConfirm={removal.confirm}
      />
    </Panel>
  );
}
