import type { ReactNode } from "react";
import { Logo } from "@/components/shell/logo.tsx";

/** The frame of pages for people who are not signed in. */
export function AuthCard({ title, body, children }: { title: string; body?: ReactNode; children: ReactNode }): ReactNode {
  return (
    <main className="mx-auto flex min-h-dvh w-full max-w-sm flex-col justify-center px-4 py-12">
      <Logo className="mb-5 size-8" />
      <h1 className="text-xl font-semibold tracking-tight">{title}</h1>
      {body === undefined ? null : <p className="mt-1 text-sm text-muted">{body}</p>}
      <div className="mt-6">{children}</div>
    </main>
  );
}
