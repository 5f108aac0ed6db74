"use client";

import { useState } from "react";
import { errorMessage } from "@/trpc/client.ts";

export type Asked<Subject> = {
  subject: Subject | null;
  ask: (subject: Subject) => void;
  close: () => void;
  isPending: boolean;
  error: string | undefined;
  confirm: () => void;
};

/** A question before something is done to a subject: open, working, failed with its cause, or closed. */
export function useAsked<Subject>(work: (subject: Subject) => Promise<unknown>): Asked<Subject> {
  const [subject, setSubject] = useState<Subject | null>(null);
  const [isPending, setPending] = useState(false);
  const [error, setError] = useState<string | undefined>(undefined);
  const close = (): void => {
    setSubject(null);
    setError(undefined);
  };
  const confirm = (): void => {
    if (subject === null || isPending) return;
    setPending(true);
    setError(undefined);
    work(subject)
      .then(close, (cause: unknown) => setError(errorMessage(cause)))
      .finally(() => setPending(false));
  };
  return { subject, ask: setSubject, close, isPending, error, confirm };
}
