import type { Right } from "./rights.ts";

/** What is typed when a token is made. `rights` and `hosts` count only where not all are given. */
export type TokenForm = {
  name: string;
  /** Days as text; empty: no end. */
  days: string;
  hasAllRights: boolean;
  rights: readonly Right[];
  hasAllHosts: boolean;
  hosts: readonly string[];
};

export type NewToken = { name: string; expiresInDays: number | null; rights: Right[] | null; hosts: string[] | null };

export const EXPIRY_DAYS = [7, 30, 90, 365] as const;

export const EMPTY_TOKEN: TokenForm = { name: "", days: "90", hasAllRights: true, rights: [], hasAllHosts: true, hosts: [] };

/** What is sent, or undefined while something is missing. A narrowed token names at least one right and one host. */
export function readTokenForm(form: TokenForm): NewToken | undefined {
  const name = form.name.trim();
  if (name === "" || (!form.hasAllRights && form.rights.length === 0) || (!form.hasAllHosts && form.hosts.length === 0)) return undefined;
  return {
    name,
    expiresInDays: form.days === "" ? null : Number(form.days),
    rights: form.hasAllRights ? null : [...form.rights],
    hosts: form.hasAllHosts ? null : [...form.hosts],
  };
}

/** Where the control plane is, and a host whose engine a line may speak to. */
export type Place = { origin: string; host: string };

/** A line of curl with a token: the team's containers by REST. */
export function curlLine({ origin }: Place, token: string): string {
  return `curl -H 'Authorization: Bearer ${token}' ${origin}/api/v1/containers`;
}

/** What makes the docker command speak to a host through the control plane, with a token. */
export function dockerLines({ origin, host }: Place, token: string): string {
  const url = new URL(origin);
  return [
    `export DOCKER_HOST=tcp://${url.host}${url.port === "" ? (url.protocol === "https:" ? ":443" : ":80") : ""}/docker/${encodeURIComponent(host)}`,
    `export DOCKER_CUSTOM_HEADERS='Authorization=Bearer ${token}'`,
    ...(url.protocol === "https:" ? ["export DOCKER_TLS=1"] : []),
    "docker ps",
  ].join("\n");
}
