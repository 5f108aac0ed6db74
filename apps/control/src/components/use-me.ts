"use client";

import { useQuery } from "@tanstack/react-query";
import { useTRPC } from "@/trpc/client.ts";
import type { Me } from "@/trpc/types.ts";

/** Who is signed in, and to which team; undefined while that is not known. */
export function useMe(): Me | undefined {
  const trpc = useTRPC();
  return useQuery(trpc.me.get.queryOptions(undefined, { staleTime: Number.POSITIVE_INFINITY })).data;
}
