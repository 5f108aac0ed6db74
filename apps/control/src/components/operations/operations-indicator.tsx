"use client";

import { CircleAlert, CircleCheck, LoaderCircle } from "lucide-react";
import dynamic from "next/dynamic";
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { useOperationActions, useOperations } from "@/components/operations/operations-provider.tsx";
import { Button } from "@/components/ui/button.tsx";

const Drawer = dynamic(() => import("@/components/operations/operations-drawer.tsx").then((found) => found.OperationsDrawer), {
  ssr: false,
});

/** What goes on in the background; there only while there is something to tell. */
export function OperationsIndicator(): ReactNode {
  const t = useTranslations("operations");
  const operations = useOperations();
  const { isOpen, setOpen } = useOperationActions();
  const [isWanted, setWanted] = useState(false);
  if (isOpen && !isWanted) setWanted(true);
  const running = operations.filter((one) => one.state === "running").length;
  const hasFailed = operations.some((one) => one.state === "failed");
  const label = running > 0 ? t("running", { count: running }) : t("ended", { count: operations.length });
  return (
    <>
      {operations.length === 0 ? null : (
        <Button variant="ghost" aria-label={label} onClick={() => setOpen(true)} className="max-sm:w-8 max-sm:px-0">
          {running > 0 ? (
            <LoaderCircle aria-hidden className="animate-spin" />
          ) : hasFailed ? (
            <CircleAlert aria-hidden className="text-bad" />
          ) : (
            <CircleCheck aria-hidden className="text-ok" />
          )}
          <span className="max-md:hidden">{label}</span>
        </Button>
      )}
      {isWanted ? <Drawer isOpen={isOpen} onOpenChange={setOpen} /> : null}
    </>
  );
}
