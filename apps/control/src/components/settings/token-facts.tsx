"use client";

import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { TimeAgo, useNow } from "@/components/time-ago.tsx";
import { parseTime } from "@/lib/format.ts";
import type { TokenRow } from "@/trpc/types.ts";

/** What a token may, where, when it was used and when it ends: one line below its name. */
export function TokenFacts({ token }: { token: TokenRow }): ReactNode {
  const t = useTranslations("settings.tokens");
  const now = useNow();
  const expires = parseTime(token.expiresAt);
  const used = parseTime(token.lastUsedAt);
  const scope = [
    token.rights === null ? t("allRights") : t("rightCount", { count: token.rights.length }),
    token.hosts === null ? t("allHosts") : t("onHosts", { hosts: token.hosts.join(", ") }),
  ].join(", ");
  return (
    <>
      <span title={token.rights?.join("\n")}>{scope}</span>
      {" · "}
      {used === null ? t("neverUsed") : t.rich("lastUsed", { time: () => <TimeAgo time={used} /> })}
      {used === null || token.lastUsedAddress === null ? null : ` ${t("from", { address: token.lastUsedAddress })}`}
      {" · "}
      {expires === null ? (
        t("noExpiry")
      ) : (
        <span className={expires < now ? "text-bad" : undefined}>
          {t.rich(expires < now ? "expired" : "expires", { time: () => <TimeAgo time={expires} /> })}
        </span>
      )}
    </>
  );
}
