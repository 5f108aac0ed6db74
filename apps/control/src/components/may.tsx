"use client";

import { createContext, type ReactNode, use, useMemo } from "react";
import { useTranslations } from "use-intl";
import { EmptyState } from "@/components/ui/states.tsx";
import { useMe } from "@/components/use-me.ts";
import { type May as MayFunction, MAY_NOTHING, mayOf } from "@/lib/may.ts";
import type { Right } from "@/lib/rights.ts";

const MayContext = createContext<MayFunction>(MAY_NOTHING);

/** Asked once for a page, so that thousands of rows need not. */
export function MayProvider({ children }: { children: ReactNode }): ReactNode {
  const me = useMe();
  const may = useMemo(() => (me === undefined ? MAY_NOTHING : mayOf(me)), [me]);
  return <MayContext value={may}>{children}</MayContext>;
}

/** Whether the signed-in person has a right; the same function until that changes. */
export function useMay(): MayFunction {
  return use(MayContext);
}

/** Shows its content to who has the right, on a host when one is named. */
export function May({ right, host, children }: { right: Right; host?: string | undefined; children: ReactNode }): ReactNode {
  return useMay()(right, host) ? children : null;
}

/** In the place of what somebody has no right to: which right that is, and who gives it; or that only instance administrators have it. */
export function Forbidden({ right }: { right: Right | "instance" }): ReactNode {
  const t = useTranslations("forbidden");
  const names = useTranslations("rights");
  const team = useMe()?.team.name ?? "";
  if (right === "instance") return <EmptyState title={t("title")} body={t("instance")} />;
  return <EmptyState title={t("title")} body={t("body", { right: names(`names.${right}`), team })} />;
}
