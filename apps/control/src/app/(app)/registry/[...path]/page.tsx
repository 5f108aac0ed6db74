import type { ReactNode } from "react";
import { RepositoryPage } from "@/components/registry/repository-page.tsx";

export default function RepositoryRoute(): ReactNode {
  return <RepositoryPage />;
}
