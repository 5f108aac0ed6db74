"use client";

import { Eye, EyeOff } from "lucide-react";
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { useMay } from "@/components/may.tsx";
import { Button } from "@/components/ui/button.tsx";
import { Facts, Panel } from "@/components/ui/panel.tsx";

export type EnvironmentPanelProps = { env: readonly string[]; labels: Readonly<Record<string, string>> };

/** Environment and labels of a container on `host`: who may not read them is told so, as the engine's answer has others in their place. */
export function ContainerEnvironment(props: EnvironmentPanelProps & { host: string }): ReactNode {
  const t = useTranslations("container.environment");
  const right = useTranslations("rights")("names.container.inspect");
  if (useMay()("container.inspect", props.host)) return <EnvironmentPanel {...props} />;
  return (
    <Panel title={t("title")}>
      <p className="text-sm text-muted">{t("hidden", { right })}</p>
    </Panel>
  );
}

/** Environment and labels. Values of the environment are hidden until asked for: they often hold secrets, and screens are shared. */
export function EnvironmentPanel({ env, labels }: EnvironmentPanelProps): ReactNode {
  const t = useTranslations("container.environment");
  const [isShown, setShown] = useState(false);
  const pairs = env.map((line) => {
    const at = line.indexOf("=");
    return at === -1 ? { name: line, value: "" } : { name: line.slice(0, at), value: line.slice(at + 1) };
  });
  return (
    <>
      <Panel
        title={t("title")}
        actions={
          pairs.length === 0 ? null : (
            <Button size="sm" variant="ghost" aria-pressed={isShown} onClick={() => setShown(!isShown)}>
              {isShown ? <EyeOff /> : <Eye />}
              {isShown ? t("hide") : t("show")}
            </Button>
          )
        }
      >
        {pairs.length === 0 ? (
          <p className="text-sm text-muted">{t("none")}</p>
        ) : (
          <Facts
            items={pairs.map(({ name, value }) => ({
              label: <code className="font-mono text-xs">{name}</code>,
              value: isShown ? value : "••••••",
              isMono: true,
            }))}
          />
        )}
      </Panel>
      {Object.keys(labels).length === 0 ? null : (
        <Panel title={t("labels")}>
          <Facts
            items={Object.entries(labels).map(([name, value]) => ({
              label: <code className="font-mono text-xs">{name}</code>,
              value,
              isMono: true,
            }))}
          />
        </Panel>
      )}
    </>
  );
}
