"use client";

import type { ReactNode } from "react";
import { PageError } from "@/components/page-error.tsx";

export default function AppError({ error, reset }: { error: Error; reset: () => void }): ReactNode {
  return <PageError message={error.message} onRetry={reset} />;
}
