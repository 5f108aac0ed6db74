"use client";

import { useParams } from "next/navigation";
import type { ReactNode } from "react";
import { HostNetworkPage } from "@/components/networks/host-network-page.tsx";
import { OverlayPage } from "@/components/networks/overlay-page.tsx";

/** `/networks/<name>` spans hosts, `/networks/<host>/<name>` is of one host. */
export function NetworkPage(): ReactNode {
  const [first = "", second, ...more] = useParams<{ path: string[] }>().path.map(decodeURIComponent);
  return second === undefined ? <OverlayPage name={first} /> : <HostNetworkPage host={first} name={[second, ...more].join("/")} />;
}
