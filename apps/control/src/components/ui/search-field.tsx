"use client";

import { Search } from "lucide-react";
import type { ReactNode } from "react";
import { Input } from "@/components/ui/input.tsx";
import { cn } from "@/lib/cn.ts";

export type SearchFieldProps = { label: string; value: string; onChange: (value: string) => void; className?: string };

/** A filter for what is on the page; `/` focuses it, Escape clears it. */
export function SearchField({ label, value, onChange, className }: SearchFieldProps): ReactNode {
  return (
    <div className={cn("relative", className)}>
      <Search aria-hidden className="pointer-events-none absolute top-2 left-2.5 size-4 text-faint" />
      <Input
        type="search"
        aria-label={label}
        placeholder={label}
        value={value}
        onChange={(event) => onChange(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== "Escape") return;
          onChange("");
          event.currentTarget.blur();
        }}
        className="pl-8 [&::-webkit-search-cancel-button]:appearance-none"
      />
    </div>
  );
}
