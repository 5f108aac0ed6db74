import type { HostRow } from "../hosts/schemas.ts";
import type { Attention } from "./attention.ts";

/** A disk this full will soon stop pulls, logs and databases; one that is fuller may have done so already. */
const DISK_WARNING = 0.9;
const DISK_CRITICAL = 0.97;

/** What is the matter with a host. Pure. */
export function attentionOfHost({ name: host, state, flag, lastSeenAt, stats }: HostRow): Attention[] {
  const href = `/hosts/${encodeURIComponent(host)}`;
  const found: Attention[] = [];
  if (flag !== null) found.push({ code: "hostFlagged", severity: "critical", host, flag, href, since: null });
  if (state === "offline") found.push({ code: "hostOffline", severity: "critical", host, href, since: lastSeenAt });
  const used = stats === null || stats.diskTotalBytes <= 0 ? 0 : stats.diskUsedBytes / stats.diskTotalBytes;
  if (stats !== null && used > DISK_WARNING) {
    found.push({
      code: "diskFull",
      severity: used > DISK_CRITICAL ? "critical" : "warning",
      host,
      percent: Math.floor(100 * used),
      freeBytes: stats.diskTotalBytes - stats.diskUsedBytes,
      href: `${href}?tab=images`,
      since: null,
    });
  }
  return found;
}
