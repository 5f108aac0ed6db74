import type { ReactNode } from "react";
import { errorMessage } from "@/trpc/client.ts";

/** A call that a form makes, as React Query tells of it. */
export type Work = { isPending: boolean; error: unknown };

/** Why the call of a form was refused, read out by screen readers; nothing while it was not. */
export function FormError({ work }: { work: Work | undefined }): ReactNode {
  if (work === undefined || work.error === null || work.error === undefined) return null;
  return (
    <p role="alert" className="text-sm break-words text-bad">
      {errorMessage(work.error)}
    </p>
  );
}
