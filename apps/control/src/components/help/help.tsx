"use client";

import { Link } from "@/components/ui/link.tsx";
import { type ReactNode, useEffect, useState } from "react";
import { useTranslations } from "use-intl";
import { Command } from "@/components/ui/copy-button.tsx";
import { Kbd } from "@/components/ui/kbd.tsx";
import { Panel } from "@/components/ui/panel.tsx";

/** The first steps, and the same things by the docker command. Short, and only what works. */
export function Help(): ReactNode {
  const t = useTranslations("help");
  const [{ place, origin }, setLocation] = useState({ place: "", origin: "" });
  useEffect(() => setLocation({ place: window.location.host, origin: window.location.origin }), []);
  const link = (href: string) => {
    const Linked = (text: ReactNode): ReactNode => (
      <Link href={href} className="underline hover:text-muted">
        {text}
      </Link>
    );
    return Linked;
  };
  const links = {
    overview: link("/"),
    hosts: link("/hosts?add=1"),
    images: link("/images?upload=1"),
    run: link("/run"),
    tokens: link("/settings?tab=tokens"),
  };
  return (
    <div className="max-w-3xl space-y-4">
      <Panel title={t("first.title")}>
        <ol className="list-decimal space-y-2 pl-5 text-sm marker:text-muted">
          <li>{t.rich("first.image", links)}</li>
          <li>{t.rich("first.run", links)}</li>
          <li>{t("first.look")}</li>
          <li>{t.rich("first.host", links)}</li>
        </ol>
      </Panel>
      <Panel title={t("docker.title")}>
        <div className="space-y-3 text-sm">
          <p>{t.rich("docker.body", links)}</p>
          <Command
            isWrapped
            text={`export DOCKER_HOST=tcp://${place}/docker/local\nexport DOCKER_CUSTOM_HEADERS='Authorization=Bearer flt_…'\ndocker ps`}
          />
          <p>{t("docker.older")}</p>
          <Command
            isWrapped
            text={`npx flotilla login ${origin}\nnpx flotilla context local --headers\ndocker context use flotilla-local`}
          />
          <p>{t("docker.import")}</p>
          <Command isWrapped text={`docker import --change 'CMD ["nginx","-g","daemon off;"]' root.tar nginx:1.27`} />
        </div>
      </Panel>
      <Panel title={t("know.title")}>
        <ul className="list-disc space-y-2 pl-5 text-sm marker:text-muted">
          <li>{t.rich("know.overview", links)}</li>
          <li>{t("know.survive")}</li>
          <li>{t("know.volumes")}</li>
          <li>{t("know.activity")}</li>
        </ul>
      </Panel>
      <p className="flex items-center gap-1.5 text-sm text-muted">{t.rich("keys", { key: (text) => <Kbd>{text}</Kbd> })}</p>
    </div>
  );
}
