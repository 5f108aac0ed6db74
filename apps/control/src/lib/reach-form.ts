/** What is asked on the page "can A reach B?". Containers are named `host/container`. */
export type ReachForm = { from: string; to: string; address: string; port: string; protocol: "tcp" | "udp" };

export type ReachFormErrors = Partial<Record<"from" | "to" | "address" | "port", "choose" | "address" | "port">>;

const TARGET = /^[a-zA-Z0-9_:][a-zA-Z0-9_.:-]{0,252}$/;

/** "" as the target is an address of one's own. */
export function checkReachForm(form: ReachForm): ReachFormErrors {
  const errors: ReachFormErrors = {};
  if (splitRef(form.from) === null) errors.from = "choose";
  if (form.to !== "" && splitRef(form.to) === null) errors.to = "choose";
  if (form.to === "" && !TARGET.test(form.address.trim())) errors.address = "address";
  const port = form.port.trim();
  if (port !== "" && !(/^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535)) errors.port = "port";
  return errors;
}

/** What the API takes of a form without errors. */
export function toReachInput(form: ReachForm) {
  const from = splitRef(form.from) ?? { host: "", id: "" };
  const other = splitRef(form.to);
  const to = other === null ? { kind: "address" as const, address: form.address.trim() } : { kind: "container" as const, ...other };
  return { ...from, to, port: form.port.trim() === "" ? null : Number(form.port), protocol: form.protocol };
}

function splitRef(ref: string): { host: string; id: string } | null {
  const at = ref.indexOf("/");
  return at <= 0 || at === ref.length - 1 ? null : { host: ref.slice(0, at), id: ref.slice(at + 1) };
}
