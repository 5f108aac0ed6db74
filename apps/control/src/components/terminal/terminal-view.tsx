"use client";

import "@xterm/xterm/css/xterm.css";
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import type { TerminalState } from "@/components/terminal/session.ts";
import { useTerminal } from "@/components/terminal/use-terminal.ts";
import { Button } from "@/components/ui/button.tsx";
import { Field } from "@/components/ui/field.tsx";
import { Input, NativeSelect } from "@/components/ui/input.tsx";
import { EmptyState } from "@/components/ui/states.tsx";
import { Status } from "@/components/ui/status-dot.tsx";
import { cn } from "@/lib/cn.ts";
import { splitWords } from "@/lib/shell-words.ts";
import { SHELLS } from "@/lib/terminal-session.ts";

export type TerminalViewProps = { host: string; id: string; isRunning: boolean };

const TONES = { idle: "idle", connecting: "warn", open: "ok", ended: "idle", lost: "bad" } as const satisfies Record<
  TerminalState["kind"],
  string
>;

/** A shell in the container. */
export function TerminalView({ host, id, isRunning }: TerminalViewProps): ReactNode {
  const t = useTranslations("terminal");
  const { element, state, session } = useTerminal({ host, id });
  const isShown = state.kind !== "idle";
  return (
    <div className="space-y-3">
      {isShown ? (
        <div className="flex min-h-8 flex-wrap items-center justify-between gap-2">
          <span role="status" data-terminal={state.kind}>
            <Status tone={TONES[state.kind]}>
              {state.kind === "ended" ? t("ended", { code: state.code ?? "?" }) : t(`states.${state.kind}`)}
            </Status>
          </span>
          <span className="flex gap-2">
            {state.kind === "lost" ? <Button onClick={() => session.current?.reattach()}>{t("reattach")}</Button> : null}
            {state.kind === "ended" ? <Button onClick={() => session.current?.forget()}>{t("again")}</Button> : null}
            {state.kind === "open" ? <span className="text-xs text-muted max-sm:hidden">{t("survives")}</span> : null}
          </span>
        </div>
      ) : isRunning ? (
        <StartForm onStart={({ command, user }) => session.current?.open(command, user)} error={state.error} />
      ) : (
        <EmptyState title={t("stoppedTitle")} body={t("stoppedBody")} />
      )}
      <div className={cn("overflow-hidden rounded-lg border bg-panel p-2", !isShown && "invisible h-0 border-0 p-0")}>
        <div ref={element} className="h-[max(18rem,calc(100dvh-17rem))] font-mono" />
      </div>
    </div>
  );
}

type StartFormProps = { onStart: (input: { command: string[]; user: string | undefined }) => void; error: string | null };

function StartForm({ onStart, error }: StartFormProps): ReactNode {
  const t = useTranslations("terminal");
  const [shell, setShell] = useState<string>(SHELLS[0]);
  const [custom, setCustom] = useState("");
  const [user, setUser] = useState("");
  const isCustom = shell === "custom";
  const command = isCustom ? splitWords(custom) : [shell];
  const isReady = command !== null && command.length > 0;
  return (
    <form
      className="max-w-lg rounded-lg border bg-panel p-4"
      onSubmit={(event) => {
        event.preventDefault();
        if (isReady) onStart({ command, user: user.trim() === "" ? undefined : user.trim() });
      }}
    >
      <div className="grid gap-3 sm:grid-cols-2">
        <Field label={t("shell")}>
          {(ids) => (
            <NativeSelect {...ids} value={shell} onChange={(event) => setShell(event.target.value)}>
              {SHELLS.map((name) => (
                <option key={name} value={name}>
                  {name}
                </option>
              ))}
              <option value="custom">{t("otherCommand")}</option>
            </NativeSelect>
          )}
        </Field>
        <Field label={t("user")}>
          {(ids) => <Input {...ids} value={user} onChange={(event) => setUser(event.target.value)} placeholder={t("userPlaceholder")} />}
        </Field>
        {isCustom ? (
          <Field label={t("command")} className="sm:col-span-2" error={command === null ? t("quotes") : undefined}>
            {(ids) => (
              <Input
                {...ids}
                value={custom}
                onChange={(event) => setCustom(event.target.value)}
                placeholder="python3 -i"
                className="font-mono"
              />
            )}
          </Field>
        ) : null}
      </div>
      {error === null ? null : (
        <p role="alert" className="mt-3 text-sm break-words text-bad">
          {error}
        </p>
      )}
      <Button type="submit" variant="primary" className="mt-4" disabled={!isReady}>
        {t("start")}
      </Button>
    </form>
  );
}
