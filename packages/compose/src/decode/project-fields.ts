import { anything, field, type Fields, type NoteTarget, object, type Reader, list, record } from "./reader.ts";
import { bool, labels, text, value } from "./scalars.ts";

/** Names of services and of other things of the project, as the schema has them. */
export const NAME = /^[a-zA-Z0-9._-]+$/;

const IPAM_POOL: Fields = {
  aux_addresses: field("auxAddresses", record(text)),
  gateway: field("gateway", text),
  ip_range: field("ipRange", text),
  subnet: field("subnet", text),
};

const networkFields = (target: NoteTarget): Fields => ({
  attachable: field("isAttachable", bool),
  driver: field("driver", text),
  driver_opts: field("driverOpts", record(value)),
  enable_ipv4: { to: "enableIpv4", read: bool, note: "ipv4_always" },
  enable_ipv6: { to: "enableIpv6", read: bool, note: "ipv6_bridge" },
  external: field("isExternal", bool),
  internal: field("isInternal", bool),
  ipam: field(
    "ipam",
    object(
      {
        config: field("pools", list(object(IPAM_POOL, { target }))),
        driver: field("driver", text),
        options: field("options", record(value)),
      },
      { target },
    ),
  ),
  labels: field("labels", labels),
  name: field("name", text),
});

const VOLUME: Fields = {
  driver: field("driver", text),
  driver_opts: field("driverOpts", record(value)),
  external: field("isExternal", bool),
  labels: field("labels", labels),
  name: field("name", text),
};

const fileObject = (kind: "secret" | "config"): Fields => ({
  ...(kind === "config" ? { content: field("content", text) } : {}),
  driver: { to: "driver", read: text, note: "file_driver" },
  driver_opts: { to: "driverOpts", read: record(value), note: "file_driver" },
  environment: field("environment", text),
  external: field("isExternal", bool),
  file: field("file", text),
  labels: field("labels", labels),
  name: field("name", text),
  template_driver: { to: "templateDriver", read: text, note: "file_template" },
});

/** Keys of the whole file; `services` is decoded one by one, `include` and `extends` are gone by then. */
export const projectFields = (target: NoteTarget): Fields => {
  const named = (fields: Fields): Reader => record(object(fields, { target }), NAME);
  return {
    configs: field("configs", named(fileObject("config"))),
    include: field("include", anything),
    models: { to: null, read: anything, note: "models" },
    name: field("name", text),
    networks: field("networks", named(networkFields(target))),
    secrets: field("secrets", named(fileObject("secret"))),
    services: field("services", anything),
    version: { to: null, read: anything, note: "version" },
    volumes: field("volumes", named(VOLUME)),
  };
};
