import type { ReactNode } from "react";
import { SignInForm } from "@/components/auth/sign-in-form.tsx";

export default function SignInPage(): ReactNode {
  return <SignInForm />;
}
