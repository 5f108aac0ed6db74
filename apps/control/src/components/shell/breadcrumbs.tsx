"use client";

import { Link } from "@/components/ui/link.tsx";
import { usePathname } from "next/navigation";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { isCurrent, MAIN_PAGES, OTHER_PAGES } from "@/components/shell/navigation.ts";

/** Where this page is: the section, then what is open in it. */
export function Breadcrumbs(): ReactNode {
  const t = useTranslations("nav");
  const shell = useTranslations("shell");
  const pathname = usePathname();
  const page = [...MAIN_PAGES, ...OTHER_PAGES].find(({ href }) => isCurrent(href, pathname));
  if (page === undefined) return null;
  const action = pathname === "/run" ? "run" : pathname === "/deploy" ? "deploy" : null;
  const parts = pathname
    .split("/")
    .slice(2)
    .filter((part) => part !== "");
  const rest = action === null ? parts.map(safeDecode) : [shell(action)];
  return (
    <nav aria-label={t("breadcrumbs")} className="flex min-w-0 items-center gap-1.5 text-sm">
      {rest.length === 0 ? (
        <span className="truncate font-medium">{t(page.id)}</span>
      ) : (
        <>
          <Link href={page.href} className="shrink-0 text-muted hover:text-ink">
            {t(page.id)}
          </Link>
          {rest.map((part, index) => (
            <span key={index} className={index === rest.length - 1 ? "min-w-0 truncate" : "min-w-0 truncate text-muted max-sm:hidden"}>
              <span aria-hidden className="mr-1.5 text-faint">
                /
              </span>
              {part.replace(/^(sha256:)?([0-9a-f]{12})[0-9a-f]{20,}$/, "$2")}
            </span>
          ))}
        </>
      )}
    </nav>
  );
}

/** A part of the address as text; one that is no proper encoding is shown as it is. */
function safeDecode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
