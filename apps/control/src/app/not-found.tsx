import type { ReactNode } from "react";
import { NotFound } from "@/components/not-found.tsx";

export default function NotFoundPage(): ReactNode {
  return <NotFound />;
}
