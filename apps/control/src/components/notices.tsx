"use client";

import { type ReactNode, useEffect } from "react";
import { toast, Toaster } from "sonner";
import { useTheme } from "@/components/theme.tsx";
import { takeNotices } from "@/lib/notify.ts";

/** Where notices appear. */
export function Notices(): ReactNode {
  const { theme } = useTheme();
  // After the effects of the Toaster below, so that it hears of them.
  useEffect(() => takeNotices(({ kind, title, options }) => void toast[kind](title, options)), []);
  return (
    <Toaster
      theme={theme}
      position="bottom-right"
      gap={8}
      toastOptions={{
        style: {
          background: "var(--raised)",
          color: "var(--ink)",
          borderColor: "var(--line-strong)",
          fontSize: "13px",
          borderRadius: "8px",
        },
        classNames: { description: "!text-muted break-words", error: "[&_[data-icon]]:text-bad", success: "[&_[data-icon]]:text-ok" },
      }}
    />
  );
}
