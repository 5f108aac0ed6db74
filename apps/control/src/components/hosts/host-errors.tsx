"use client";

import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { PartialNotice } from "@/components/ui/states.tsx";

/** Hosts that could not be asked: their part of a list is missing, and the page says so. */
export function HostErrors({ errors }: { errors: readonly { host: { name: string }; message: string }[] }): ReactNode {
  const t = useTranslations("hosts");
  if (errors.length === 0) return null;
  const [first] = errors;
  return (
    <PartialNotice>
      {errors.length === 1 && first !== undefined
        ? t("missingOne", { host: first.host.name, message: first.message })
        : t("missingMany", { count: errors.length, hosts: errors.map(({ host }) => host.name).join(", ") })}
    </PartialNotice>
  );
}
