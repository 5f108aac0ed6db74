"use client";

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { renderSVG } from "uqr";
import { LineForm } from "@/components/form/line-form.tsx";
import { ShownOnce } from "@/components/form/shown-once.tsx";
import { Button } from "@/components/ui/button.tsx";
import { Command } from "@/components/ui/copy-button.tsx";
import { Field } from "@/components/ui/field.tsx";
import { Input } from "@/components/ui/input.tsx";
import { Panel } from "@/components/ui/panel.tsx";
import { PartialNotice, Skeleton } from "@/components/ui/states.tsx";
import { Status } from "@/components/ui/status-dot.tsx";
import { useMe } from "@/components/use-me.ts";
import { notify } from "@/lib/notify.ts";
import { AuthError } from "@/lib/auth-calls.ts";
import { beginEnrolment, disableTwoFactor, type Enrolment, keyOf, renewBackupCodes, verifyTotp } from "@/lib/two-factor.ts";
import { useTRPC } from "@/trpc/client.ts";

/** One-time codes of an app as a second factor: to turn on, off, and to make new backup codes. The password is asked for each time. */
export function TwoFactorPanel(): ReactNode {
  const t = useTranslations("settings.twoFactor");
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const me = useMe();
  const [enrolment, setEnrolment] = useState<Enrolment | null>(null);
  const [codes, setCodes] = useState<string[] | null>(null);
  const refresh = async (): Promise<void> => {
    await queryClient.invalidateQueries({ queryKey: trpc.me.pathKey() });
    await queryClient.invalidateQueries({ queryKey: trpc.sessions.pathKey() });
  };
  if (me === undefined) return <Skeleton className="h-40" />;
  const { hasTwoFactor } = me.user;
  return (
    <Panel title={t("title")} actions={<Status tone={hasTwoFactor ? "ok" : "idle"}>{hasTwoFactor ? t("on") : t("off")}</Status>}>
      <div className="space-y-4">
        <p className="text-sm text-muted">{t("body")}</p>
        {me.lacksTwoFactor ? <PartialNotice>{t("required", { team: me.team.name })}</PartialNotice> : null}
        {codes === null ? null : <ShownOnce note={t("codesOnce")} secret={codes.join("\n")} />}
        {enrolment !== null ? (
          <Enrol
            enrolment={enrolment}
            onDone={() => {
              setCodes(enrolment.backupCodes);
              setEnrolment(null);
              void refresh();
            }}
          />
        ) : hasTwoFactor ? (
          <>
            <WithPassword label={t("renew")} onSubmit={async (password) => setCodes(await renewBackupCodes(password))} />
            <WithPassword
              label={t("disable")}
              isDanger
              onSubmit={async (password) => {
                await disableTwoFactor(password);
                setCodes(null);
                await refresh();
                notify("success", t("disabled"));
              }}
            />
          </>
        ) : (
          <WithPassword label={t("enable")} onSubmit={async (password) => setEnrolment(await beginEnrolment(password))} />
        )}
      </div>
    </Panel>
  );
}

type WithPasswordProps = { label: string; isDanger?: boolean; onSubmit: (password: string) => Promise<void> };

function WithPassword({ label, isDanger = false, onSubmit }: WithPasswordProps): ReactNode {
  const t = useTranslations("settings.twoFactor");
  const [password, setPassword] = useState("");
  const failure = useFailure();
  const act = useMutation({ mutationFn: () => onSubmit(password), onSettled: () => setPassword("") });
  return (
    <LineForm
      action={label}
      variant={isDanger ? "dangerOutline" : "primary"}
      isReady={password !== ""}
      onSubmit={() => act.mutate()}
      work={{ isPending: act.isPending, error: act.error === null ? null : failure(act.error) }}
    >
      <Field label={t("password")} className="min-w-40 flex-1">
        {(ids) => (
          <Input
            {...ids}
            type="password"
            autoComplete="current-password"
            value={password}
            onChange={(event) => setPassword(event.target.value)}
          />
        )}
      </Field>
    </LineForm>
  );
}

function useFailure(): (error: Error) => string {
  const t = useTranslations("settings.twoFactor");
  return (error) => {
    if (!(error instanceof AuthError)) return error.message;
    return error.status === 429 ? t("tooMany") : t("refused");
  };
}

function Enrol({ enrolment, onDone }: { enrolment: Enrolment; onDone: () => void }): ReactNode {
  const t = useTranslations("settings.twoFactor");
  const [code, setCode] = useState("");
  const failure = useFailure();
  const verify = useMutation({ mutationFn: () => verifyTotp(code), onSuccess: onDone });
  const image = `data:image/svg+xml;utf8,${encodeURIComponent(renderSVG(enrolment.totpURI, { border: 2 }))}`;
  return (
    <div className="flex flex-wrap gap-4">
      {/* Black on white in both themes: cameras need the contrast. */}
      <img src={image} alt={t("qr")} width={168} height={168} className="shrink-0 rounded-md border bg-white" />
      <form
        className="min-w-56 flex-1 space-y-3"
        onSubmit={(event) => {
          event.preventDefault();
          verify.mutate();
        }}
      >
        <p className="text-sm">{t("scan")}</p>
        <Command text={keyOf(enrolment.totpURI)} isWrapped />
        <Field label={t("code")} error={verify.error === null ? undefined : failure(verify.error)}>
          {(ids) => (
            <Input
              {...ids}
              inputMode="numeric"
              autoComplete="one-time-code"
              value={code}
              onChange={(event) => setCode(event.target.value)}
            />
          )}
        </Field>
        <Button type="submit" variant="primary" disabled={code.trim() === ""} isPending={verify.isPending}>
          {t("confirm")}
        </Button>
      </form>
    </div>
  );
}
