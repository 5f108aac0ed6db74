"use client";

import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { useOnlineHosts } from "@/components/hosts/host-select.tsx";
import { givenLogin, LoginFields, NO_LOGIN } from "@/components/images/login-fields.tsx";
import { useOperationActions } from "@/components/operations/operations-provider.tsx";
import { Button } from "@/components/ui/button.tsx";
import { CheckField } from "@/components/ui/checkbox.tsx";
import { Dialog, DialogActions } from "@/components/ui/dialog.tsx";
import { Field } from "@/components/ui/field.tsx";
import { Input } from "@/components/ui/input.tsx";
import { isImageReference } from "@/lib/image-row.ts";

export type PullDialogProps = { isOpen: boolean; onClose: () => void; host?: string };

/** Brings an image from a registry to one host or several, in the background. */
export function PullDialog({ isOpen, onClose, host }: PullDialogProps): ReactNode {
  const t = useTranslations("images.pull");
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
      <PullForm onClose={onClose} host={host} />
    </Dialog>
  );
}

function PullForm({ onClose, host }: { onClose: () => void; host: string | undefined }): ReactNode {
  const t = useTranslations("images.pull");
  const common = useTranslations("common");
  const online = useOnlineHosts();
  const { transfer, setOpen } = useOperationActions();
  const [reference, setReference] = useState("");
  const [platform, setPlatform] = useState("");
  const [chosen, setChosen] = useState<readonly string[] | null>(host === undefined ? null : [host]);
  const [login, setLogin] = useState(NO_LOGIN);
  const [isChecked, setChecked] = useState(false);
  const hosts = chosen ?? online.slice(0, 1).map(({ name }) => name);
  const image = reference.trim();
  const isGood = isImageReference(image);
  const start = (): void => {
    setChecked(true);
    if (!isGood || hosts.length === 0) return;
    const more = { ...givenLogin(login), ...(platform.trim() === "" ? {} : { platform: platform.trim() }) };
    for (const name of hosts) transfer({ kind: "pull", host: name, reference: image, ...more });
    onClose();
    setOpen(true);
  };
  return (
    <form
      className="space-y-4"
      onSubmit={(event) => {
        event.preventDefault();
        start();
      }}
    >
      <Field label={t("reference")} hint={t("referenceHint")} error={isChecked && !isGood ? t("referenceError") : undefined}>
        {(ids) => (
          <Input {...ids} autoFocus value={reference} placeholder="nginx:1.27" onChange={(event) => setReference(event.target.value)} />
        )}
      </Field>
      <fieldset>
        <legend className="mb-1.5 text-sm font-medium">{t("hosts")}</legend>
        <div className="max-h-40 space-y-1.5 overflow-y-auto">
          {online.length === 0 ? <p className="text-sm text-muted">{t("noHosts")}</p> : null}
          {online.map(({ id, name }) => (
            <CheckField
              key={id}
              label={name}
              checked={hosts.includes(name)}
              onChange={(event) => setChosen(event.target.checked ? [...hosts, name] : hosts.filter((one) => one !== name))}
            />
          ))}
        </div>
      </fieldset>
      <Field label={t("platform")} hint={t("platformHint")}>
        {(ids) => <Input {...ids} value={platform} placeholder="linux/amd64" onChange={(event) => setPlatform(event.target.value)} />}
      </Field>
      <LoginFields value={login} onChange={setLogin} />
      <DialogActions>
        <Button onClick={onClose}>{common("cancel")}</Button>
        <Button type="submit" variant="primary" disabled={image === "" || hosts.length === 0}>
          {t("action")}
        </Button>
      </DialogActions>
    </form>
  );
}
