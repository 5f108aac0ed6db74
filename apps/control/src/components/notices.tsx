"use client";

import type { ReactNode } from "react";
import { Toaster } from "sonner";
import { useTheme } from "@/components/theme.tsx";

/** Where notices appear. */
export function Notices(): ReactNode {
  const { theme } = useTheme();
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
