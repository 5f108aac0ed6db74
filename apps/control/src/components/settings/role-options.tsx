"use client";

import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useRoleName } from "@/components/settings/use-role-name.ts";
import { useTRPC } from "@/trpc/client.ts";

/** The roles of the team, to choose one of. */
export function RoleOptions(): ReactNode {
  const trpc = useTRPC();
  const roleName = useRoleName();
  const roles = useQuery(trpc.roles.list.queryOptions()).data ?? [];
  return roles.map((role) => (
    <option key={role.id} value={role.id}>
      {roleName(role)}
    </option>
  ));
}
