"use client";

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Trash2 } from "lucide-react";
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { May } from "@/components/may.tsx";
import { Button } from "@/components/ui/button.tsx";
import { Field } from "@/components/ui/field.tsx";
import { Input } from "@/components/ui/input.tsx";
import { Panel } from "@/components/ui/panel.tsx";
import { ErrorState, Skeleton } from "@/components/ui/states.tsx";
import { errorMessage, useTRPC } from "@/trpc/client.ts";

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Variables that are filled into a stack's files. Their values are written here and never shown again. */
export function StackVariables({ stack }: { stack: string }): ReactNode {
  const t = useTranslations("stacks.variables");
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const query = useQuery(trpc.stacks.variables.queryOptions({ stack }));
  const [name, setName] = useState("");
  const [value, setValue] = useState("");
  const change = useMutation(
    trpc.stacks.setVariables.mutationOptions({
      onSuccess: async () => {
        setName("");
        setValue("");
        await queryClient.invalidateQueries({ queryKey: trpc.stacks.variables.pathKey() });
      },
    }),
  );
  if (query.isPending) return <Skeleton className="h-40" />;
  if (query.isError) return <ErrorState title={t("loadFailed")} message={errorMessage(query.error)} />;
  const isKnown = query.data.includes(name);
  return (
    <Panel title={t("title")}>
      <p className="mb-3 text-sm text-muted">{t("body")}</p>
      {query.data.length === 0 ? null : (
        <ul className="mb-4 divide-y rounded-md border">
          {query.data.map((each) => (
            <li key={each} className="flex items-center justify-between gap-2 py-1 pr-1 pl-3">
              <span className="min-w-0 truncate font-mono text-xs">{each}</span>
              <May right="stack.deploy">
                <Button
                  variant="ghost"
                  size="iconSm"
                  aria-label={t("remove", { name: each })}
                  onClick={() => change.mutate({ stack, variables: { [each]: null } })}
                >
                  <Trash2 />
                </Button>
              </May>
            </li>
          ))}
        </ul>
      )}
      <May right="stack.deploy">
        <form
          className="grid items-start gap-3 sm:grid-cols-[minmax(0,1fr)_minmax(0,1.5fr)_auto]"
          onSubmit={(event) => {
            event.preventDefault();
            change.mutate({ stack, variables: { [name]: value } });
          }}
        >
          <Field label={t("name")} error={name === "" || NAME.test(name) ? undefined : t("nameHint")}>
            {(ids) => <Input {...ids} placeholder="TAG" value={name} onChange={(event) => setName(event.target.value)} />}
          </Field>
          <Field label={t("value")}>
            {(ids) => (
              <Input
                {...ids}
                type="password"
                autoComplete="new-password"
                value={value}
                onChange={(event) => setValue(event.target.value)}
              />
            )}
          </Field>
          <Button type="submit" className="sm:mt-6.5" disabled={!NAME.test(name)} isPending={change.isPending}>
            {isKnown ? t("replace") : t("add")}
          </Button>
        </form>
      </May>
      {change.error === null ? null : (
        <p role="alert" className="mt-3 text-sm break-words text-bad">
          {errorMessage(change.error)}
        </p>
      )}
    </Panel>
  );
}
