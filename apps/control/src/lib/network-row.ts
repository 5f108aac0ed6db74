/** A network of one host, as its engine tells, and one that spans hosts, as the control plane tells: what a list needs of each. */
type LocalNetwork = {
  Id: string;
  Name: string;
  Driver: string;
  Internal: boolean;
  IPAM?: { Config?: readonly { Subnet?: string | undefined }[] | undefined } | undefined;
  Options?: Readonly<Record<string, string>> | undefined;
  host: { id: string; name: string };
};
type SpanningNetwork = {
  id: string;
  name: string;
  subnet: string;
  isInternal: boolean;
  mtuBytes: number | null;
  smallestMtuBytes: number | null;
  members: number;
  pool: { leased: number; total: number };
  problems: number;
};
type Attached = { host: { id: string; name: string }; NetworkSettings?: unknown };

export type NetworkRow = {
  key: string;
  name: string;
  driver: string;
  /** null: all hosts. */
  host: string | null;
  subnet: string;
  members: number;
  pool: { leased: number; total: number } | null;
  mtuBytes: number | null;
  isInternal: boolean;
  isPredefined: boolean;
  problems: number;
  href: string;
  /** How the API names it. */
  ref: { network: string; host?: string };
};

const MTU_OPTION = "com.docker.network.driver.mtu";
const PREDEFINED: ReadonlySet<string> = new Set(["bridge", "host", "none"]);

/** Both kinds as rows of one list, those that span hosts first. */
export function toNetworkRows(
  list: { items: readonly LocalNetwork[]; overlays: readonly SpanningNetwork[] },
  containers: readonly Attached[],
): NetworkRow[] {
  const counts = countMembers(containers);
  return [...list.overlays.map(toSpanningRow), ...list.items.map((network) => toLocalRow(network, counts))];
}

function toSpanningRow(network: SpanningNetwork): NetworkRow {
  const { id, name, subnet, members, pool, problems, isInternal } = network;
  return {
    key: id,
    name,
    driver: "overlay",
    host: null,
    subnet,
    members,
    pool,
    mtuBytes: network.smallestMtuBytes ?? network.mtuBytes,
    isInternal,
    isPredefined: false,
    problems,
    href: `/networks/${encodeURIComponent(name)}`,
    ref: { network: id },
  };
}

function toLocalRow(network: LocalNetwork, counts: ReadonlyMap<string, number>): NetworkRow {
  const { Id, Name, Driver, Internal, host } = network;
  const mtu = Number(network.Options?.[MTU_OPTION] ?? Number.NaN);
  return {
    key: `${host.id}/${Id}`,
    name: Name,
    driver: Driver,
    host: host.name,
    subnet: network.IPAM?.Config?.[0]?.Subnet ?? "",
    members: counts.get(`${host.id}/${Name}`) ?? 0,
    pool: null,
    mtuBytes: Number.isInteger(mtu) ? mtu : null,
    isInternal: Internal,
    isPredefined: PREDEFINED.has(Name),
    problems: 0,
    href: `/networks/${encodeURIComponent(host.name)}/${encodeURIComponent(Name)}`,
    ref: { network: Id, host: host.name },
  };
}

/** Containers by host and network. */
function countMembers(containers: readonly Attached[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { host, NetworkSettings: settings } of containers) {
    for (const name of networkNames(settings)) counts.set(`${host.id}/${name}`, (counts.get(`${host.id}/${name}`) ?? 0) + 1);
  }
  return counts;
}

function networkNames(settings: unknown): string[] {
  if (typeof settings !== "object" || settings === null || !("Networks" in settings)) return [];
  const { Networks: networks } = settings;
  return typeof networks === "object" && networks !== null ? Object.keys(networks) : [];
}

export type NetworkForm = {
  name: string;
  /** "" is all hosts. */
  host: string;
  subnet: string;
  gateway: string;
  hasIpv6: boolean;
  isInternal: boolean;
  mtu: string;
  labels: string;
};

export const EMPTY_NETWORK: NetworkForm = {
  name: "",
  host: "",
  subnet: "",
  gateway: "",
  hasIpv6: false,
  isInternal: false,
  mtu: "",
  labels: "",
};

export type NetworkFormErrors = Partial<Record<keyof NetworkForm, "name" | "subnet" | "gateway" | "gatewayAlone" | "mtu" | "labels">>;

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/;
const OCTET = "(?:0|[1-9]\\d?|1\\d\\d|2[0-4]\\d|25[0-5])";
const ADDRESS = new RegExp(`^${OCTET}(?:\\.${OCTET}){3}$`);
const LABEL = /^[^=\s][^=]*=/;

/** What can be told to be wrong without asking anybody; the control plane and the engine know the rest. */
export function checkNetworkForm(form: NetworkForm): NetworkFormErrors {
  const [first = "", length = "", ...more] = form.subnet.trim().split("/");
  const isSubnet = ADDRESS.test(first) && /^\d{1,2}$/.test(length) && Number(length) <= 32 && more.length === 0;
  const errors: NetworkFormErrors = {};
  if (form.name !== "" && !NAME.test(form.name.trim())) errors.name = "name";
  if (form.subnet.trim() !== "" && !isSubnet) errors.subnet = "subnet";
  if (form.gateway.trim() !== "" && !ADDRESS.test(form.gateway.trim())) errors.gateway = "gateway";
  else if (form.gateway.trim() !== "" && form.subnet.trim() === "") errors.gateway = "gatewayAlone";
  if (form.mtu.trim() !== "" && !(/^\d{4,5}$/.test(form.mtu.trim()) && Number(form.mtu) >= 1_280 && Number(form.mtu) <= 65_535))
    errors.mtu = "mtu";
  if (labelLines(form).some((line) => !LABEL.test(line))) errors.labels = "labels";
  return errors;
}

/** What the API takes of a form without errors. */
export function toNewNetwork(form: NetworkForm) {
  return {
    name: form.name.trim(),
    ...(form.host === "" ? {} : { host: form.host }),
    subnet: form.subnet.trim(),
    gateway: form.gateway.trim(),
    hasIpv6: form.hasIpv6,
    isInternal: form.isInternal,
    mtuBytes: form.mtu.trim() === "" ? null : Number(form.mtu),
    labels: Object.fromEntries(labelLines(form).map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)])),
  };
}

function labelLines({ labels }: NetworkForm): string[] {
  return labels
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}
