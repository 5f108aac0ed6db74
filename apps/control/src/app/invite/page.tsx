import type { ReactNode } from "react";
import { InviteForm } from "@/components/auth/invite-form.tsx";

export default function InvitePage(): ReactNode {
  return <InviteForm />;
}
