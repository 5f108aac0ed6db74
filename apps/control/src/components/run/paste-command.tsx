"use client";

import type { RouterOutputs } from "@flotilla/api";
import { useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { Button } from "@/components/ui/button.tsx";
import { Field } from "@/components/ui/field.tsx";
import { Textarea } from "@/components/ui/input.tsx";
import { Panel } from "@/components/ui/panel.tsx";
import { errorMessage, useTRPC } from "@/trpc/client.ts";

export type ParsedRun = RouterOutputs["containers"]["parseRun"];

/** Takes a `docker run …` line from a README or a colleague and fills the form with it; what it cannot take it names. */
export function PasteCommand({ onParsed }: { onParsed: (result: ParsedRun) => void }): ReactNode {
  const t = useTranslations("run");
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const [line, setLine] = useState("");
  const [error, setError] = useState<string | undefined>(undefined);
  const [isPending, setPending] = useState(false);
  const parse = (): void => {
    setPending(true);
    setError(undefined);
    queryClient
      .fetchQuery(trpc.containers.parseRun.queryOptions({ line }))
      .then(onParsed, (cause: unknown) => setError(errorMessage(cause)))
      .finally(() => setPending(false));
  };
  return (
    <Panel>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          parse();
        }}
      >
        <Field label={t("pasteLabel")} hint={t("pasteHint")} error={error}>
          {(ids) => (
            <Textarea
              {...ids}
              autoFocus
              rows={6}
              className="font-mono text-xs"
              placeholder={
                "docker run -d --name web -p 8080:80 \\\n  -v data:/usr/share/nginx/html \\\n  --restart unless-stopped nginx:1.27"
              }
              value={line}
              onChange={(event) => setLine(event.target.value)}
            />
          )}
        </Field>
        <Button type="submit" variant="primary" className="mt-4" disabled={line.trim() === ""} isPending={isPending}>
          {t("fill")}
        </Button>
      </form>
    </Panel>
  );
}
