// Why a key is not honoured, or what it means less than it seems to: of the engine, of one host, of a stack over several hosts.

type Sentence = (values: Readonly<Record<string, string | number>>) => string;

const ENGINE = {
  windows: () => "Windows containers are not supported",
  ipv6_address: () => "addresses of IPv6 are not supported by the engine",
  attachment_options: () => "options of one attachment are not honoured by the engine",
  gateway_priority: () => "the engine's default route follows the order of connection: use priority",
  interface_name: () => "the engine names interfaces itself",
  link_local: () => "link-local addresses are not supported by the engine",
  recursive_bind: () => "recursive read-only binds are not supported by the engine",
  anonymous_labels: () => "labels of anonymous volumes are not honoured",
  one_context: () => "builds go the classic way, which has one context",
  cache_to: () => "the engine keeps its build cache itself",
  entitlements: () => "entitlements are BuildKit's, and builds go the classic way",
  build_privileged: () => "builds are never privileged",
  attestations: () => "attestations are BuildKit's, and builds go the classic way",
  build_secrets: () => "secrets of a build need the BuildKit protocol, which the engine does not speak",
  build_ssh: () => "keys of a build need the BuildKit protocol, which the engine does not speak",
  models: () => "AI models are not provided by the engine",
  providers: () => "external providers are not run",
  pull_refresh: () => "use pull_policy: every_<duration>",
  api_socket: () => "the engine's socket is not handed to containers",
  storage_options: () => "limits of the writable layer are not supported by the engine",
  gpus: () => "devices by capability (GPUs) are not supported by the engine",
  develop: () => "`develop` is for `compose watch`, which is not offered",
  ipv4_always: () => "networks always have IPv4",
  ipv6_bridge: () => "IPv6 on bridges is not supported by the engine",
  file_driver: () => "drivers of secrets and configs are not supported",
  file_template: () => "templates of secrets and configs are not supported",
  version: () => "the attribute `version` is obsolete, it is ignored: remove it",
} satisfies Record<string, Sentence>;

const ONE_HOST = {
  one_host_placement: () => "placement is the scheduler's: on one host it means nothing",
  one_host_rollout: () => "on one host `up` replaces containers one after the other",
  one_host_cpus: () => "one host reserves no processors",
  one_host_delay: () => "the engine's own growing delay is used",
  one_host_window: () => "the engine counts a start as good after 10 s",
  one_host_endpoint: () => "on one host every name has the addresses of all containers",
  one_host_labels: () => "labels of a service have no place on one host; use labels of its containers",
  one_host_rollback: () => "one host keeps no revisions to go back to",
} satisfies Record<string, Sentence>;

const STACK = {
  stack_build: ({ image }) => `ignored, as hosts pull the image ${image}`,
  stack_container_name: () => "ignored, as replicas have names of their own",
  stack_external_links: () => "ignored: use networks",
  stack_hooks: () => "ignored, as stacks have no hooks",
  stack_role: ({ constraint }) => `constraint "${constraint}" is ignored: hosts have no role`,
  constraint_form: ({ text }) => `invalid constraint "${text}": write key==value or key!=value`,
  constraint_key: ({ text, key, known }) => `invalid constraint "${text}": ${key} is unknown; known are ${known}`,
  preference_form: ({ text }) => `invalid preference "${text}": spread over node.labels.NAME`,
  stack_network_mode: ({ mode }) => `${mode} works on one host only: use networks`,
  stack_volumes_from: () => "works on one host only: use a named volume",
  stack_namespace: () => "works on one host only",
  stack_mode_ports: ({ mode }) => `cannot be published with network_mode ${mode}`,
  stack_sctp: () => "sctp is published with mode: host only",
} satisfies Record<string, Sentence>;

export const NOTES = { ...ENGINE, ...ONE_HOST, ...STACK };
export type NoteCode = keyof typeof NOTES;
