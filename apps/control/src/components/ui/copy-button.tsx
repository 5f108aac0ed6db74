"use client";

import { Check, Copy } from "lucide-react";
import { type ReactNode, useEffect, useState } from "react";
import { useTranslations } from "use-intl";
import { Button } from "@/components/ui/button.tsx";
import { cn } from "@/lib/cn.ts";
import { notify } from "@/lib/notify.ts";

export type CopyButtonProps = { text: string; label?: string; className?: string };

/** Copies a text and says so for a moment. */
export function CopyButton({ text, label, className }: CopyButtonProps): ReactNode {
  const t = useTranslations("common");
  const [isCopied, setIsCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) return undefined;
    const timer = setTimeout(() => setIsCopied(false), 1_500);
    return () => clearTimeout(timer);
  }, [isCopied]);
  const copy = (): void => {
    copyText(text).then(
      () => setIsCopied(true),
      () => notify("error", t("copyFailed")),
    );
  };
  const icon = isCopied ? <Check className="text-ok" /> : <Copy />;
  return (
    <Button
      variant={label === undefined ? "ghost" : "outline"}
      size={label === undefined ? "iconSm" : "sm"}
      aria-label={label === undefined ? t("copy") : undefined}
      title={t("copy")}
      onClick={copy}
      className={className}
    >
      {icon}
      {label}
      <span role="status" className="sr-only">
        {isCopied ? t("copied") : ""}
      </span>
    </Button>
  );
}

/** The clipboard API exists only on HTTPS and loopback; elsewhere the old way still works. */
async function copyText(text: string): Promise<void> {
  if (window.isSecureContext) {
    await navigator.clipboard.writeText(text);
    return;
  }
  const area = document.createElement("textarea");
  area.value = text;
  area.style.position = "fixed";
  area.style.opacity = "0";
  document.body.append(area);
  area.select();
  const isDone = document.execCommand("copy");
  area.remove();
  if (!isDone) throw new Error("copy was refused");
}

export type CommandProps = { text: string; className?: string; isWrapped?: boolean };

/** One command to copy. */
export function Command({ text, className, isWrapped = false }: CommandProps): ReactNode {
  return (
    <div className={cn("flex w-full items-start gap-1 rounded-md border bg-hover py-1 pr-1 pl-3 text-left", className)}>
      <code
        // What scrolls must be reached by the keyboard too.
        tabIndex={isWrapped ? undefined : 0}
        className={cn(
          "min-w-0 flex-1 self-center py-1 font-mono text-xs",
          isWrapped ? "whitespace-pre-wrap [overflow-wrap:anywhere]" : "overflow-x-auto whitespace-pre",
        )}
      >
        {text}
      </code>
      <CopyButton text={text} />
    </div>
  );
}
