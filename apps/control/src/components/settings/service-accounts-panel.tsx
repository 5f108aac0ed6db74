"use client";

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Bot, Plus } from "lucide-react";
import dynamic from "next/dynamic";
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { FormDialog } from "@/components/form/form-dialog.tsx";
import { RowPanel } from "@/components/form/row-panel.tsx";
import { RoleOptions } from "@/components/settings/role-options.tsx";
import { TokenFacts } from "@/components/settings/token-facts.tsx";
import { useRoleName } from "@/components/settings/use-role-name.ts";
import { Button } from "@/components/ui/button.tsx";
import { Field } from "@/components/ui/field.tsx";
import { Input, NativeSelect } from "@/components/ui/input.tsx";
import { ConfirmDialog } from "@/components/ui/confirm-dialog.tsx";
import { useAsked } from "@/components/use-asked.ts";
import { useTRPC, useTRPCClient } from "@/trpc/client.ts";
import type { ServiceAccountRow, TokenRow } from "@/trpc/types.ts";

const TokenDialog = dynamic(() => import("@/components/settings/token-dialog.tsx").then((found) => found.TokenDialog), { ssr: false });

/** Accounts that programs act as: each with a role in the team and tokens, without password or session. */
export function ServiceAccountsPanel(): ReactNode {
  const t = useTranslations("settings.serviceAccounts");
  const tokens = useTranslations("settings.tokens");
  const trpc = useTRPC();
  const client = useTRPCClient();
  const queryClient = useQueryClient();
  const roleName = useRoleName();
  const query = useQuery(trpc.serviceAccounts.list.queryOptions());
  const [isMaking, setMaking] = useState(false);
  const [given, setGiven] = useState<ServiceAccountRow | null>(null);
  const refresh = (): Promise<void> => queryClient.invalidateQueries({ queryKey: trpc.serviceAccounts.pathKey() });
  return (
    <>
      <RowPanel
        title={t("title")}
        query={query}
        empty={t("empty")}
        actions={
          <Button size="sm" onClick={() => setMaking(true)}>
            <Plus />
            {t("create")}
          </Button>
        }
        render={(account) => ({
          id: account.id,
          name: (
            <span className="inline-flex items-center gap-2">
              <Bot aria-hidden className="size-4 text-muted" />
              {account.name}
            </span>
          ),
          detail: `${roleName(account.role)} · ${t("tokens", { count: account.tokens.length })}`,
          action: (
            <Button size="sm" onClick={() => setGiven(account)}>
              {tokens("create")}
            </Button>
          ),
          below: <AccountTokens account={account} onChanged={refresh} />,
        })}
        removal={{
          title: ({ name }) => t("removeTitle", { name }),
          body: t("removeBody"),
          typed: ({ name }) => name,
          work: async ({ id }) => {
            await client.serviceAccounts.remove.mutate({ id });
            await refresh();
          },
        }}
      />
      {isMaking ? <NewAccount onClose={() => setMaking(false)} onCreated={refresh} /> : null}
      {given === null ? null : (
        <TokenDialog
          title={t("tokenTitle", { name: given.name })}
          description={t("asAccount", { role: roleName(given.role) })}
          onClose={() => setGiven(null)}
          make={async (wanted) => {
            const made = await client.serviceAccounts.createToken.mutate({ id: given.id, ...wanted });
            await refresh();
            return made;
          }}
        />
      )}
    </>
  );
}

function AccountTokens({ account, onChanged }: { account: ServiceAccountRow; onChanged: () => Promise<void> }): ReactNode {
  const t = useTranslations("settings.tokens");
  const client = useTRPCClient();
  const revoking = useAsked(async (token: TokenRow) => {
    await client.serviceAccounts.revokeToken.mutate({ id: account.id, tokenId: token.id });
    await onChanged();
  });
  if (account.tokens.length === 0) return null;
  return (
    <ul className="mt-2 ml-2 border-l pl-4">
      {account.tokens.map((token) => (
        <li key={token.id} className="flex flex-wrap items-center justify-between gap-x-4 gap-y-1 py-1">
          <div className="min-w-0 flex-1 basis-56 text-xs text-muted">
            <span className="font-medium text-ink">{token.name}</span> · <TokenFacts token={token} />
          </div>
          <Button size="sm" variant="ghost" onClick={() => revoking.ask(token)}>
            {t("revoke")}
          </Button>
        </li>
      ))}
      <ConfirmDialog
        isOpen={revoking.subject !== null}
        onOpenChange={revoking.close}
        title={t("revokeTitle", { name: revoking.subject?.name ?? "" })}
        body={<p>{t("revokeBody")}</p>}
        confirmLabel={t("revoke")}
        isPending={revoking.isPending}
        error={revoking.error}
        onConfirm={revoking.confirm}
      />
    </ul>
  );
}

function NewAccount({ onClose, onCreated }: { onClose: () => void; onCreated: () => Promise<void> }): ReactNode {
  const t = useTranslations("settings.serviceAccounts");
  const client = useTRPCClient();
  const [name, setName] = useState("");
  const [role, setRole] = useState("deployer");
  const isNamed = /^[a-z0-9][a-z0-9-]{0,62}$/.test(name);
  const create = useMutation({
    mutationFn: async () => {
      await client.serviceAccounts.create.mutate({ name, role });
      await onCreated();
    },
    onSuccess: onClose,
  });
  return (
    <FormDialog
      title={t("create")}
      description={t("createBody")}
      onClose={onClose}
      action={t("createAction")}
      isReady={isNamed}
      onSubmit={() => create.mutate()}
      work={create}
    >
      <Field label={t("name")} hint={t("nameHint")} error={name === "" || isNamed ? undefined : t("nameHint")}>
        {(ids) => <Input {...ids} autoFocus className="font-mono" value={name} onChange={(event) => setName(event.target.value)} />}
      </Field>
      <Field label={t("role")}>
        {(ids) => (
          <NativeSelect {...ids} value={role} onChange={(event) => setRole(event.target.value)}>
            <RoleOptions />
          </NativeSelect>
        )}
      </Field>
    </FormDialog>
  );
}
