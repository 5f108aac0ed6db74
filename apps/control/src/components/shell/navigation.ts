import {
  Activity,
  Box,
  Boxes,
  CircleHelp,
  Database,
  Gauge,
  KeyRound,
  Layers,
  Library,
  type LucideIcon,
  Network,
  Rocket,
  Server,
  Settings,
} from "lucide-react";

export type PageId =
  | "overview"
  | "stacks"
  | "deployments"
  | "secrets"
  | "containers"
  | "hosts"
  | "images"
  | "volumes"
  | "networks"
  | "registry"
  | "activity"
  | "settings"
  | "help";

export type PageLink = { id: PageId; href: string; icon: LucideIcon; key: string };

/** Pages of the sidebar; `key` follows `g` on the keyboard. */
export const MAIN_PAGES: readonly PageLink[] = [
  { id: "overview", href: "/", icon: Gauge, key: "o" },
  { id: "stacks", href: "/stacks", icon: Layers, key: "t" },
  { id: "deployments", href: "/deployments", icon: Rocket, key: "d" },
  { id: "containers", href: "/containers", icon: Box, key: "c" },
  { id: "hosts", href: "/hosts", icon: Server, key: "h" },
  { id: "images", href: "/images", icon: Boxes, key: "i" },
  { id: "volumes", href: "/volumes", icon: Database, key: "v" },
  { id: "networks", href: "/networks", icon: Network, key: "n" },
  { id: "secrets", href: "/secrets", icon: KeyRound, key: "k" },
  { id: "registry", href: "/registry", icon: Library, key: "r" },
  { id: "activity", href: "/activity", icon: Activity, key: "a" },
];

export const OTHER_PAGES: readonly PageLink[] = [
  { id: "settings", href: "/settings", icon: Settings, key: "s" },
  { id: "help", href: "/help", icon: CircleHelp, key: "?" },
];

/** Pages that do something, and the section that they do it for. */
const ACTION_SECTIONS: Readonly<Record<string, string>> = { "/run": "/containers", "/deploy": "/stacks" };

/** Whether a page is of a section. */
export function isCurrent(href: string, pathname: string): boolean {
  if (ACTION_SECTIONS[pathname] === href) return true;
  return href === "/" ? pathname === "/" : pathname === href || pathname.startsWith(`${href}/`);
}
