"use client";

import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { useReasons } from "@/components/stacks/use-reasons.ts";
import { TimeAgo } from "@/components/time-ago.tsx";
import { formatBytes, parseTime } from "@/lib/format.ts";
import type { Attention } from "@/trpc/types.ts";

/** What is the matter, in a few words. */
export function AttentionTitle({ item }: { item: Attention }): ReactNode {
  const t = useTranslations("overview.causes");
  switch (item.code) {
    case "hostFlagged":
    case "hostOffline":
      return t(item.code, { host: item.host });
    case "diskFull":
      return t("diskFull", { host: item.host, percent: item.percent });
    case "crashed":
      return t("crashed", { container: item.container, exitCode: item.exitCode });
    case "dead":
    case "restarting":
    case "unhealthy":
      return t(item.code, { container: item.container });
    case "moreContainers":
      return t("moreContainers", { count: item.count });
    case "rolloutFailed":
    case "rolloutHeld":
    case "rolloutAwaits":
      return t(item.code, { service: `${item.stack}/${item.service}` });
    case "replicasMissing":
      return t("replicasMissing", { service: `${item.stack}/${item.service}`, running: item.running, wanted: item.wanted });
    case "unreachable":
      return t(item.isBothWays ? "unreachable" : "unreachableOneWay", { from: item.from, to: item.to });
    case "mtuTooLarge":
      return t("mtuTooLarge", { network: item.network, from: item.from, to: item.to });
    case "quotaNear":
      return t("quotaNear", { percent: item.percent });
    case "invitationsPending":
      return t("invitationsPending", { count: item.count });
    case "tokenExpires":
      return t(item.isOver ? "tokenOver" : "tokenExpires", { token: item.token });
  }
}

/** Where it is, why, or what it takes: the second line. */
export function AttentionDetail({ item }: { item: Attention }): ReactNode {
  const t = useTranslations("overview.details");
  const say = useReasons();
  switch (item.code) {
    case "hostFlagged":
      return item.flag;
    case "hostOffline":
      return t(item.since === null ? "neverSeen" : "notHeard");
    case "diskFull":
      return t("diskFull", { free: formatBytes(item.freeBytes) });
    case "crashed":
    case "dead":
    case "restarting":
    case "unhealthy":
      return `${item.host} · ${item.image}`;
    case "moreContainers":
      return t("moreContainers");
    case "rolloutFailed":
    case "replicasMissing":
      return say(item.reasons, item.message) || t("noReason");
    case "rolloutHeld":
      return say(item.reasons, item.message) || t("rolloutHeld");
    case "rolloutAwaits":
      return t("rolloutAwaits");
    case "unreachable":
      return t("unreachable");
    case "mtuTooLarge":
      return t("mtuTooLarge", { needs: item.needsBytes, path: item.pathMtuBytes });
    case "quotaNear":
      return t("quotaNear", { used: formatBytes(item.usedBytes), limit: formatBytes(item.limitBytes) });
    case "invitationsPending":
      return item.expired === 0 ? t("invitationsPending") : t("invitationsExpired", { count: item.expired });
    case "tokenExpires": {
      const time = parseTime(item.expiresAt) ?? 0;
      return t.rich(item.isOver ? "tokenOver" : "tokenExpires", { time: () => <TimeAgo time={time} /> });
    }
  }
}
