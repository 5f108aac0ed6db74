"use client";

import { Link } from "@/components/ui/link.tsx";
import { type ReactNode, useEffect, useState } from "react";
import { useTranslations } from "use-intl";
import { May } from "@/components/may.tsx";
import { Button } from "@/components/ui/button.tsx";
import { Command } from "@/components/ui/copy-button.tsx";

/** What makes the first container: the form, and the same by `docker` through this control plane. */
export function ContainersEmpty({ host }: { host?: string }): ReactNode {
  const t = useTranslations("containers.empty");
  const [origin, setOrigin] = useState("");
  useEffect(() => setOrigin(window.location.host), []);
  const name = host ?? "local";
  return (
    <May right="container.run" host={host}>
      <Button asChild variant="primary">
        <Link href={host === undefined ? "/run" : `/run?host=${encodeURIComponent(host)}`}>{t("run")}</Link>
      </Button>
      <p className="text-xs text-muted">{t("orDocker")}</p>
      <Command text={`DOCKER_HOST=tcp://${origin}/docker/${name} docker run -d IMAGE`} />
    </May>
  );
}
