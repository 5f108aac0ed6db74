import type { ReactNode } from "react";
import { SetupForm } from "@/components/auth/setup-form.tsx";

export default function SetupPage(): ReactNode {
  return <SetupForm />;
}
