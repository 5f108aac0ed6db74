import dynamic from "next/dynamic";
import type { ComponentType, ReactNode } from "react";
import { Skeleton } from "@/components/ui/states.tsx";

/** A part of a page, such as a tab, that is loaded when it is shown; its place is held meanwhile. */
export function lazyPart<Props extends object>(load: () => Promise<ComponentType<Props>>): ComponentType<Props> {
  return dynamic(load, { ssr: false, loading: PartSkeleton });
}

function PartSkeleton(): ReactNode {
  return <Skeleton className="h-72" />;
}
