"use client";

import { zodResolver } from "@hookform/resolvers/zod";
import { useMutation } from "@tanstack/react-query";
import { useRouter, useSearchParams } from "next/navigation";
import { type ReactNode, useEffect, useMemo, useState } from "react";
import { FormProvider, useForm, useFormContext, useWatch } from "react-hook-form";
import { useTranslations } from "use-intl";
import { useOnlineHosts } from "@/components/hosts/host-select.tsx";
import { PageTitle } from "@/components/page-title.tsx";
import { AdvancedFields } from "@/components/run/advanced-fields.tsx";
import { BasicFields } from "@/components/run/basic-fields.tsx";
import { PasteCommand } from "@/components/run/paste-command.tsx";
import { Button } from "@/components/ui/button.tsx";
import { Command } from "@/components/ui/copy-button.tsx";
import { PageHeader } from "@/components/ui/page-header.tsx";
import { Panel } from "@/components/ui/panel.tsx";
import { ErrorState, PartialNotice } from "@/components/ui/states.tsx";
import { Segmented } from "@/components/ui/segmented.tsx";
import { dockerCommand } from "@/lib/docker-command.ts";
import {
  EMPTY_RUN_FORM,
  extrasOf,
  formToSpec,
  NO_EXTRAS,
  type RunExtras,
  type RunForm,
  runFormSchema,
  specToForm,
} from "@/lib/run-form.ts";
import { notify } from "@/lib/notify.ts";
import { errorMessage, useTRPC } from "@/trpc/client.ts";

/** Runs a container: by a form, or from a `docker run` line that fills the form. */
export function RunPage(): ReactNode {
  const t = useTranslations("run");
  const params = useSearchParams();
  const [mode, setMode] = useState<"form" | "paste">("form");
  const [extras, setExtras] = useState<RunExtras>(NO_EXTRAS);
  const [warnings, setWarnings] = useState<readonly string[]>([]);
  const form = useForm<RunForm>({
    resolver: zodResolver(runFormSchema),
    defaultValues: { ...EMPTY_RUN_FORM, host: params.get("host") ?? "", image: params.get("image") ?? "" },
  });
  useDefaultHost(form.watch("host"), (host) => form.setValue("host", host));
  const { run, submit } = useRun(extras, form.handleSubmit);
  return (
    <>
      <PageTitle text={t("title")} />
      <PageHeader
        title={t("title")}
        actions={
          <Segmented
            label={t("mode")}
            value={mode}
            onChange={setMode}
            items={[
              { id: "form", label: t("form") },
              { id: "paste", label: t("paste") },
            ]}
          />
        }
      />
      <FormProvider {...form}>
        {mode === "paste" ? (
          <PasteCommand
            onParsed={(result) => {
              form.reset(specToForm(result.spec, form.getValues("host")));
              setExtras(extrasOf(result.spec));
              setWarnings(result.warnings);
              setMode("form");
            }}
          />
        ) : (
          <form className="grid items-start gap-4 xl:grid-cols-[minmax(0,1fr)_24rem]" noValidate onSubmit={(event) => void submit(event)}>
            <div className="space-y-4">
              {warnings.map((warning) => (
                <PartialNotice key={warning}>{warning}</PartialNotice>
              ))}
              <BasicFields />
              <AdvancedFields />
            </div>
            <div className="space-y-4 xl:sticky xl:top-16">
              <Panel title={t("preview")}>
                <Preview extras={extras} />
              </Panel>
              {run.error === null ? null : <ErrorState title={t("failed")} message={errorMessage(run.error)} />}
              <Button type="submit" variant="primary" className="w-full" isPending={run.isPending || run.isSuccess}>
                {t("submit")}
              </Button>
            </div>
          </form>
        )}
      </FormProvider>
    </>
  );
}

/** Takes the first host that can run something once the hosts are known, when none was chosen. */
function useDefaultHost(host: string, choose: (name: string) => void): void {
  const first = useOnlineHosts()[0]?.name;
  useEffect(() => {
    if (host === "" && first !== undefined) choose(first);
  }, [host, first, choose]);
}

type HandleSubmit = ReturnType<typeof useForm<RunForm>>["handleSubmit"];

function useRun(extras: RunExtras, handleSubmit: HandleSubmit) {
  const t = useTranslations("run");
  const trpc = useTRPC();
  const router = useRouter();
  const run = useMutation(
    trpc.containers.run.mutationOptions({
      onSuccess: ({ id, warnings }, { host }) => {
        for (const warning of warnings) notify("warning", warning);
        notify("success", t("started"));
        // By id, because a container without a given name has one that only the engine knows yet.
        router.push(`/containers/${encodeURIComponent(host)}/${id.slice(0, 12)}?tab=logs`);
      },
    }),
  );
  const submit = handleSubmit((form) => run.mutate({ host: form.host, spec: formToSpec(form, extras) }), focusFirstError);
  return { run, submit };
}

/** A field in a closed section cannot take the focus: the section is opened first. */
function focusFirstError(): void {
  requestAnimationFrame(() => {
    const field = document.querySelector<HTMLElement>("[aria-invalid=true]");
    const section = field?.closest("details");
    if (section instanceof HTMLDetailsElement) section.open = true;
    field?.focus();
  });
}

/** The `docker run` line of what is in the form, as it is typed. */
function Preview({ extras }: { extras: RunExtras }): ReactNode {
  const t = useTranslations("run");
  const { control } = useFormContext<RunForm>();
  const values = useWatch({ control });
  const text = useMemo(() => {
    const parsed = runFormSchema.safeParse({
      ...EMPTY_RUN_FORM,
      ...values,
      image: values.image?.trim() || "IMAGE",
      host: values.host || "host",
    });
    return parsed.success ? dockerCommand(formToSpec(parsed.data, extras)) : null;
  }, [values, extras]);
  return (
    <>
      <p className="mb-2 text-xs text-muted">{t("previewHint")}</p>
      {text === null ? <p className="text-sm text-muted">{t("previewIncomplete")}</p> : <Command text={text} isWrapped />}
    </>
  );
}
