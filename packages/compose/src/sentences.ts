// Every mistake that is told of a project: a code and its values. English here; pages have the same codes in their reader's language.

export type Values = Readonly<Record<string, string | number>>;
type Sentence = (values: Values) => string;

/** What a value should have been, with its article. */
const KINDS: Readonly<Record<string, string>> = {
  mapping: "a mapping",
  list: "a list",
  string: "a string",
  text: "a string or a number",
  scalar: "a string, a number or a boolean",
  boolean: "a boolean",
  number: "a number",
};
const PORT_FORM = "[[IP:][PUBLISHED]:]TARGET[/PROTOCOL]";
const NAME_RULE =
  "must consist only of lowercase alphanumeric characters, hyphens, and underscores as well as start with a letter or number";
/** What the parser says itself. */
const yaml: Sentence = ({ detail }) => `yaml: ${detail}`;

const FILES = {
  file_too_large: ({ max }) => `the file is larger than ${max} bytes`,
  nested_too_deeply: () => "the file is nested too deeply",
  nested_deeper: ({ max }) => `the file is nested more than ${max} deep`,
  too_many_values: ({ max }) => `with its aliases expanded the file has more than ${max} values`,
  unknown_anchor: ({ name }) => `yaml: unknown anchor '${name}' referenced`,
  key_twice: () => "this key is given twice in one mapping",
  key_no_text: () => "yaml: a key must be a single word or text",
  merge_no_mapping: () => "yaml: << needs a mapping or a list of mappings",
  unknown_tag: ({ tag }) => `unknown tag ${tag}`,
  yaml_quote_open: () => "yaml: missing closing quote",
  yaml_key_without_value: () => "yaml: implicit map keys need to be followed by map values",
  yaml_alias: yaml,
  yaml_directive: yaml,
  yaml_escape: yaml,
  yaml_indent: yaml,
  yaml_scalar_start: yaml,
  yaml_block: yaml,
  yaml_long_key: yaml,
  yaml_character: yaml,
  yaml_multiline_key: yaml,
  yaml_properties: yaml,
  yaml_tab: yaml,
  yaml_tag: yaml,
  yaml_token: yaml,
  yaml_other: yaml,
  no_such_file: ({ path }) => `open ${path}: no such file`,
  no_compose_file: ({ names, dir }) => `no configuration file provided: not found (${names} in ${dir} or above)`,
  empty_file: () => "empty compose file",
  top_no_mapping: () => "the top level of a compose file must be a mapping",
  too_many_services: ({ count, max }) => `${count} services are more than the ${max} of one project`,
  include_cycle: ({ files }) => `include cycle detected: ${files}`,
  include_too_deep: ({ max }) => `more than ${max} files include each other`,
  included_conflict: () => "conflicts with the imported resource of the same name",
  no_env_file: ({ path }) => `couldn't find env file: ${path}`,
  file_not_found: ({ path }) => `file ${path} not found`,
  no_project_name: ({ dir }) => `the directory's name "${dir}" gives no project name: use --project-name or name:`,
  invalid_project_name: ({ name }) => `invalid project name "${name}": ${NAME_RULE}`,
} satisfies Record<string, Sentence>;

/** `why` of a template: what is wrong in it. */
const VARIABLES = {
  variable_not_set: ({ name }) => `The "${name}" variable is not set. Defaulting to a blank string.`,
  variable_required: ({ name }) => `required variable ${name} is missing a value`,
  variable_required_for: ({ name, text }) => `required variable ${name} is missing a value: ${text}`,
  invalid_interpolation: ({ text, why }) => `invalid interpolation format '${text}': ${why}. You may need to escape any $ with another $`,
  invalid_template: ({ text, why }) => `invalid template '${text}': ${why}`,
  template_too_deep: () => "nested too deeply",
  template_brace_open: () => "the brace is not closed",
  template_no_name: () => "a name must follow the dollar",
  template_operator: ({ operator }) => `unexpected '${operator}' behind the name`,
  template_too_large: () => "the variables' values make the file too large",
  env_text: ({ text }) => `unexpected text '${text}': expected KEY=value`,
  env_quote_open: ({ key }) => `the quoted value of ${key} is not closed`,
} satisfies Record<string, Sentence>;

const KEYS = {
  unknown_key: ({ key }) => `additional properties '${key}' not allowed`,
  not_a_name: ({ name }) => `'${name}' is no name: letters, digits, '.', '_' and '-'`,
  must_be: ({ expected, found }) => `must be ${KINDS[String(expected)] ?? expected}, not a ${found}`,
  must_be_pair: ({ found }) => `must be KEY=VALUE, not a ${found}`,
  must_be_whole: ({ found }) => `must be a whole number, not ${found}`,
  must_be_between: ({ min, max, found }) => `must be from ${min} to ${max}, not ${found}`,
  must_be_mode: ({ found }) => `must be permissions like 0440, not ${found}`,
  must_be_duration: ({ found }) => `must be a duration like 1m30s, not ${found}`,
  must_be_duration_empty: () => "must be a duration like 1m30s, not nothing",
  must_be_size: ({ found }) => `must be a size like 64m, not ${found}`,
  must_be_size_empty: () => "must be a size like 64m, not nothing",
  must_be_one_of: ({ allowed }) => `must be one of ${allowed}`,
  must_be_command: () => "must be a command: a string or a list of strings",
  must_be_restart: ({ found }) => `must be no, always, unless-stopped or on-failure[:COUNT], not ${found}`,
  must_be_pull_policy: ({ found }) => `must be always, never, missing, build, daily, weekly or every_<duration>, not ${found}`,
  must_be_health_test: () => "must begin with NONE, CMD or CMD-SHELL, or be a text for the shell",
  must_be_port: () => "must be a port or a mapping",
  quote_open: () => "a quote or a backslash is not closed",
  is_missing: ({ key }) => `${key} is missing`,
  invalid_published: ({ found }) => `invalid published port: ${found}`,
  invalid_expose: ({ text }) => `invalid port '${text}': expected PORT[-PORT][/PROTOCOL]`,
  invalid_port: ({ text }) => `invalid port '${text}': expected ${PORT_FORM}`,
  invalid_port_ranges: ({ text }) => `invalid ranges specified for container and host ports: ${text}`,
  invalid_volume: ({ text }) => `invalid volume '${text}': expected [SOURCE:]TARGET[:MODE]`,
  invalid_volume_mode: ({ text, mode }) => `invalid volume '${text}': unknown mode '${mode}'`,
  invalid_device: ({ text }) => `invalid device '${text}': expected SOURCE[:TARGET[:PERMISSIONS]]`,
  bind_needs_source: () => "a bind needs a source",
  differs_from_resources: () => "differs from what deploy.resources says",
  differs_from_replicas: () => "differs from deploy.replicas",
  ulimit_needs_both: () => "soft and hard are both needed",
  dockerfile_twice: () => "dockerfile and dockerfile_inline exclude each other",
} satisfies Record<string, Sentence>;

const PROJECT = {
  extends_cycle: ({ services }) => `circular reference: ${services}`,
  extends_nothing: ({ service }) => `cannot extend service "${service}": service not found`,
  extends_nothing_in: ({ service, file }) => `cannot extend service "${service}" in ${file}: service not found`,
  no_such_service: ({ name }) => `no such service: ${name}`,
  no_image: ({ service }) => `service "${service}" has neither an image nor a build context specified`,
  network_mode_and_networks: () => "network_mode and networks exclude each other",
  container_name_of_many: ({ count }) => `a fixed container name allows one replica, not ${count}`,
  container_name_twice: ({ service, other, name }) => `services "${other}" and "${service}" both have the container name "${name}"`,
  undefined_network: ({ service, name }) => `service "${service}" refers to undefined network ${name}`,
  undefined_volume: ({ service, name }) => `service "${service}" refers to undefined volume ${name}`,
  undefined_secret: ({ service, name }) => `service "${service}" refers to undefined secret ${name}`,
  undefined_config: ({ service, name }) => `service "${service}" refers to undefined config ${name}`,
  dependency_optional: ({ name }) => `optional dependency "${name}" is not available`,
  dependency_disabled: ({ service, name }) => `service "${service}" depends on "${name}", which no active profile enables`,
  dependency_undefined: ({ service, name }) => `service "${service}" depends on undefined service ${name}`,
  dependency_cycle: ({ services }) => `dependency cycle detected: ${services}`,
  network_driver: ({ driver }) =>
    `a network of driver ${driver} cannot be made: give the service network_mode: ${driver}, or this network another driver`,
  address_needs_subnet: ({ network, address }) =>
    `a fixed address needs a subnet of the file's choice: give network ${network} an ipam.config with a subnet that has ${address}`,
  external_excludes: () => "external excludes file, environment and content",
  secret_needs_one: () => "needs exactly one of file, environment and external",
  config_needs_one: () => "needs exactly one of file, environment, content and external",
  port_of_many: ({ count, port }) => `${count} replicas cannot all publish host port ${port}: publish a range or no fixed port`,
  port_twice: ({ service, port }) => `service "${service}" publishes host port ${port} twice`,
  port_of_both: ({ service, other, port }) => `services "${other}" and "${service}" both publish host port ${port}`,
} satisfies Record<string, Sentence>;

export const SENTENCES = { ...FILES, ...VARIABLES, ...KEYS, ...PROJECT };
