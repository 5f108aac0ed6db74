import type { ReactNode } from "react";

export function Logo({ className }: { className?: string }): ReactNode {
  return (
    <svg viewBox="0 0 20 20" className={className} aria-hidden fill="none">
      <path d="M3.5 14.5V3.2l6 2.4v8.9zM11.6 14.5V8l5 1.9v4.6z" fill="currentColor" />
      <path d="M1.5 17.5h17" stroke="currentColor" strokeWidth="1.7" strokeLinecap="round" />
    </svg>
  );
}
