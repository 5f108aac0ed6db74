import { useTranslations } from "use-intl";
import type { Me } from "@/trpc/types.ts";

export const BUILT_IN_ROLES = ["owner", "maintainer", "deployer", "viewer"] as const;

/** The name of a role: built-in ones in the reader's language, others as their team named them. */
export function useRoleName(): (role: Me["user"]["role"]) => string {
  const t = useTranslations("settings.profile.roles");
  return (role) => {
    if (role === null) return t("instanceAdmin");
    const known = BUILT_IN_ROLES.find((name) => role.isBuiltIn && name === role.id);
    return known === undefined ? role.name : t(known);
  };
}
