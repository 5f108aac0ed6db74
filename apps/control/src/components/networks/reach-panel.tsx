"use client";

import { useMutation, useQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { ReachResultView } from "@/components/networks/reach-result.tsx";
import { Button } from "@/components/ui/button.tsx";
import { Field } from "@/components/ui/field.tsx";
import { Input, NativeSelect } from "@/components/ui/input.tsx";
import { Panel } from "@/components/ui/panel.tsx";
import { EmptyState, ErrorState } from "@/components/ui/states.tsx";
import { useUrlState } from "@/components/use-url-state.ts";
import { containerName } from "@/lib/container-row.ts";
import { checkReachForm, type ReachForm, toReachInput } from "@/lib/reach-form.ts";
import { errorMessage, useTRPC, useTRPCClient } from "@/trpc/client.ts";

/** Can A reach B? Chosen here, looked at by both hosts, hop by hop. */
export function ReachPanel(): ReactNode {
  const t = useTranslations("reach");
  const client = useTRPCClient();
  const url = useUrlState();
  const [isTried, setTried] = useState(false);
  const form: ReachForm = {
    from: url.get("from") ?? "",
    to: url.get("to") ?? "",
    address: url.get("address") ?? "",
    port: url.get("port") ?? "",
    protocol: url.get("udp") === "1" ? "udp" : "tcp",
  };
  // Asked by hand and kept out of the cache: a page that is told of changes would ask, and so send packets, again and again.
  const ask = useMutation({ mutationFn: (input: ReturnType<typeof toReachInput>) => client.networks.reach.query(input) });
  const errors = checkReachForm(form);
  return (
    <div className="grid gap-4 lg:grid-cols-[minmax(0,22rem)_minmax(0,1fr)]">
      <Panel title={t("title")}>
        <form
          className="space-y-4"
          noValidate
          onSubmit={(event) => {
            event.preventDefault();
            setTried(true);
            if (Object.keys(errors).length === 0) ask.mutate(toReachInput(form));
          }}
        >
          <Fields form={form} errors={isTried ? errors : {}} onChange={(change) => url.set(change)} />
          <Button type="submit" variant="primary" isPending={ask.isPending}>
            {t("action")}
          </Button>
        </form>
      </Panel>
      <div className="min-w-0">
        {ask.isError ? <ErrorState title={t("failed")} message={errorMessage(ask.error)} /> : null}
        {ask.data !== undefined && !ask.isError ? <ReachResultView result={ask.data} /> : null}
        {ask.data === undefined && !ask.isError ? <EmptyState title={t("emptyTitle")} body={t("emptyBody")} /> : null}
      </div>
    </div>
  );
}

type FieldsProps = {
  form: ReachForm;
  errors: ReturnType<typeof checkReachForm>;
  onChange: (change: Record<string, string | null>) => void;
};

function Fields({ form, errors, onChange }: FieldsProps): ReactNode {
  const t = useTranslations("reach");
  const trpc = useTRPC();
  const { data } = useQuery(trpc.containers.list.queryOptions({}));
  const all = (data?.items ?? []).map((row) => ({ ref: `${row.host.name}/${containerName(row)}`, isRunning: row.State === "running" }));
  const texts = { choose: t("errors.choose"), address: t("errors.address"), port: t("errors.port") };
  const textOf = (code: keyof typeof texts | undefined): string | undefined => (code === undefined ? undefined : texts[code]);
  return (
    <>
      <Field label={t("from")} error={textOf(errors.from)}>
        {(ids) => (
          <NativeSelect {...ids} value={form.from} onChange={(event) => onChange({ from: event.target.value })}>
            <option value="">{t("choose")}</option>
            {all
              .filter(({ isRunning, ref }) => isRunning || ref === form.from)
              .map(({ ref }) => (
                <option key={ref}>{ref}</option>
              ))}
          </NativeSelect>
        )}
      </Field>
      <Field label={t("to")} error={textOf(errors.to)}>
        {(ids) => (
          <NativeSelect {...ids} value={form.to} onChange={(event) => onChange({ to: event.target.value })}>
            <option value="">{t("anAddress")}</option>
            {all
              .filter(({ ref }) => ref !== form.from)
              .map(({ ref }) => (
                <option key={ref}>{ref}</option>
              ))}
          </NativeSelect>
        )}
      </Field>
      {form.to === "" ? (
        <Field label={t("address")} hint={t("addressHint")} error={textOf(errors.address)}>
          {(ids) => <Input {...ids} value={form.address} onChange={(event) => onChange({ address: event.target.value })} />}
        </Field>
      ) : null}
      <div className="grid grid-cols-[minmax(0,1fr)_6rem] gap-3">
        <Field label={t("port")} hint={t("portHint")} error={textOf(errors.port)}>
          {(ids) => <Input {...ids} inputMode="numeric" value={form.port} onChange={(event) => onChange({ port: event.target.value })} />}
        </Field>
        <Field label={t("protocol")}>
          {(ids) => (
            <NativeSelect {...ids} value={form.protocol} onChange={(event) => onChange({ udp: event.target.value === "udp" ? "1" : null })}>
              <option value="tcp">TCP</option>
              <option value="udp">UDP</option>
            </NativeSelect>
          )}
        </Field>
      </div>
    </>
  );
}
