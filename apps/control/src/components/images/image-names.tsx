"use client";

import { useQueryClient } from "@tanstack/react-query";
import { Plus, X } from "lucide-react";
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { May, useMay } from "@/components/may.tsx";
import { Button } from "@/components/ui/button.tsx";
import { Dialog, DialogActions } from "@/components/ui/dialog.tsx";
import { Field } from "@/components/ui/field.tsx";
import { Input } from "@/components/ui/input.tsx";
import { isImageReference } from "@/lib/image-row.ts";
import { notify } from "@/lib/notify.ts";
import { errorMessage, useTRPC, useTRPCClient } from "@/trpc/client.ts";

export type ImageNamesProps = { host: string; id: string; names: readonly string[] };

/** An image's names, each to be taken away while it is not the last; and one more. */
export function ImageNames({ host, id, names }: ImageNamesProps): ReactNode {
  const t = useTranslations("image");
  const { change, isPending } = useNameChange();
  const [isAdding, setAdding] = useState(false);
  const canUntag = useMay()("image.remove", host) && names.length > 1;
  const untag = (name: string): void => {
    change((client) => client.images.remove.mutate({ host, id: name, force: false })).catch((error: unknown) =>
      notify("error", t("untag", { name }), { description: errorMessage(error) }),
    );
  };
  return (
    <div className="flex flex-wrap items-center gap-1">
      {names.length === 0 ? <span className="text-muted">{t("noNames")}</span> : null}
      {names.map((name) => (
        <span key={name} className="inline-flex max-w-full items-center rounded-sm bg-hover pl-1.5 text-xs leading-5">
          <span className="min-w-0 py-0.5 pr-1.5 break-all">{name}</span>
          {!canUntag ? null : (
            <button
              type="button"
              disabled={isPending}
              aria-label={t("untag", { name })}
              onClick={() => untag(name)}
              className="grid size-6 shrink-0 place-items-center rounded-sm text-muted hover:bg-active hover:text-ink"
            >
              <X aria-hidden className="size-3" />
            </button>
          )}
        </span>
      ))}
      <May right="image.change" host={host}>
        <Button size="sm" variant="ghost" onClick={() => setAdding(true)}>
          <Plus />
          {t("tag.action")}
        </Button>
      </May>
      <Dialog isOpen={isAdding} onOpenChange={setAdding} title={t("tag.title")}>
        <AddName host={host} id={id} onDone={() => setAdding(false)} />
      </Dialog>
    </div>
  );
}

function AddName({ host, id, onDone }: { host: string; id: string; onDone: () => void }): ReactNode {
  const t = useTranslations("image.tag");
  const common = useTranslations("common");
  const [name, setName] = useState("");
  const [error, setError] = useState<string | undefined>(undefined);
  const { change, isPending } = useNameChange();
  const start = (): void => {
    if (!isImageReference(name.trim())) return setError(t("error"));
    setError(undefined);
    change((client) => client.images.tag.mutate({ host, id, name: name.trim() })).then(onDone, (cause: unknown) =>
      setError(errorMessage(cause)),
    );
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        start();
      }}
    >
      <Field label={t("label")} hint={t("hint")} error={error}>
        {(ids) => <Input {...ids} autoFocus value={name} onChange={(event) => setName(event.target.value)} placeholder="team/web:2" />}
      </Field>
      <DialogActions>
        <Button onClick={onDone}>{common("cancel")}</Button>
        <Button type="submit" variant="primary" isPending={isPending} disabled={name.trim() === ""}>
          {t("action")}
        </Button>
      </DialogActions>
    </form>
  );
}

type Client = ReturnType<typeof useTRPCClient>;

function useNameChange() {
  const trpc = useTRPC();
  const client = useTRPCClient();
  const queryClient = useQueryClient();
  const [isPending, setPending] = useState(false);
  const change = async (work: (client: Client) => Promise<unknown>): Promise<void> => {
    setPending(true);
    try {
      await work(client);
      await queryClient.invalidateQueries({ queryKey: trpc.images.pathKey() });
    } finally {
      setPending(false);
    }
  };
  return { change, isPending };
}
