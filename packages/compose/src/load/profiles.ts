import type { DecodedService } from "../decode/service.ts";
import type { Variables } from "../interpolate.ts";

type Asked = { profiles?: readonly string[] | undefined; services?: readonly string[] | undefined; variables: Variables };

/** Profiles asked for, by COMPOSE_PROFILES, and those of services that are named. */
export function activeProfiles(
  services: ReadonlyMap<string, DecodedService>,
  { profiles = [], services: named = [], variables }: Asked,
): Set<string> {
  const ofVariable = (variables("COMPOSE_PROFILES") ?? "").split(",").map((profile) => profile.trim());
  const ofNamed = named.flatMap((name) => profilesOf(services.get(name)?.raw ?? {}));
  return new Set([...profiles, ...ofVariable, ...ofNamed].filter((profile) => profile !== ""));
}

export function isEnabled(raw: Readonly<Record<string, unknown>>, active: ReadonlySet<string>): boolean {
  const own = profilesOf(raw);
  return own.length === 0 || active.has("*") || own.some((profile) => active.has(profile));
}

const profilesOf = (raw: Readonly<Record<string, unknown>>): string[] => (raw["profiles"] ?? []) as string[];
