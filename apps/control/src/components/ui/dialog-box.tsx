"use client";

import { X } from "lucide-react";
import { Dialog as Primitive } from "radix-ui";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import type { DialogProps } from "@/components/ui/dialog-props.ts";
import { Button } from "@/components/ui/button.tsx";
import { cn } from "@/lib/cn.ts";

const PLACES = {
  center:
    "anim-pop left-1/2 top-[12vh] max-h-[80dvh] w-[calc(100vw-2rem)] max-w-md -translate-x-1/2 rounded-lg border shadow-[0_16px_48px_rgb(0_0_0/0.18)]",
  side: "anim-slide inset-y-0 right-0 h-dvh w-full max-w-lg border-l shadow-[0_0_48px_rgb(0_0_0/0.14)]",
};

export function DialogBox({ isOpen, onOpenChange, title, description, children, placement = "center", className }: DialogProps): ReactNode {
  const t = useTranslations("common");
  return (
    <Primitive.Root open={isOpen} onOpenChange={onOpenChange}>
      <Primitive.Portal>
        <Primitive.Overlay className="anim-fade fixed inset-0 z-40 bg-black/30 dark:bg-black/55" />
        <Primitive.Content
          // A field with autoFocus has it already; else the box itself takes the focus and not its first button.
          onOpenAutoFocus={(event) => event.preventDefault()}
          className={cn("fixed z-50 flex flex-col bg-raised outline-none", PLACES[placement], className)}
          {...(description === undefined ? { "aria-describedby": undefined } : {})}
        >
          <header className="flex items-start gap-3 border-b px-4 py-3">
            <div className="min-w-0 flex-1">
              <Primitive.Title className="text-base font-semibold break-words">{title}</Primitive.Title>
              {description === undefined ? null : (
                <Primitive.Description className="mt-0.5 text-sm text-muted">{description}</Primitive.Description>
              )}
            </div>
            <Primitive.Close asChild>
              <Button variant="ghost" size="iconSm" aria-label={t("close")}>
                <X />
              </Button>
            </Primitive.Close>
          </header>
          <div className="min-h-0 flex-1 overflow-y-auto p-4">{children}</div>
        </Primitive.Content>
      </Primitive.Portal>
    </Primitive.Root>
  );
}
