// What the parser of YAML says, by its error codes.
import type { YAMLError } from "yaml";
import { type Message, type MessageCode, message } from "./message.ts";

const CODES: Readonly<Record<YAMLError["code"], MessageCode>> = {
  ALIAS_PROPS: "yaml_alias",
  BAD_ALIAS: "yaml_alias",
  BAD_COLLECTION_TYPE: "yaml_tag",
  BAD_DIRECTIVE: "yaml_directive",
  BAD_DQ_ESCAPE: "yaml_escape",
  BAD_INDENT: "yaml_indent",
  BAD_PROP_ORDER: "yaml_properties",
  BAD_SCALAR_START: "yaml_scalar_start",
  BLOCK_AS_IMPLICIT_KEY: "yaml_block",
  BLOCK_IN_FLOW: "yaml_block",
  DUPLICATE_KEY: "yaml_other",
  IMPOSSIBLE: "yaml_other",
  KEY_OVER_1024_CHARS: "yaml_long_key",
  MISSING_CHAR: "yaml_character",
  MULTILINE_IMPLICIT_KEY: "yaml_multiline_key",
  MULTIPLE_ANCHORS: "yaml_properties",
  MULTIPLE_DOCS: "yaml_other",
  MULTIPLE_TAGS: "yaml_properties",
  NON_STRING_KEY: "yaml_tag",
  RESOURCE_EXHAUSTION: "yaml_other",
  TAB_AS_INDENT: "yaml_tab",
  TAG_RESOLVE_FAILED: "yaml_tag",
  UNEXPECTED_TOKEN: "yaml_token",
};

/** Pure. `detail`: the parser's own words. */
export function describeError({ code, message: sentence }: Pick<YAMLError, "code" | "message">): Message {
  const detail = `${sentence.charAt(0).toLowerCase()}${sentence.slice(1)}`;
  // The parser says of a file that is nested thousands deep what its own recursion ended with.
  if (/call stack/i.test(detail)) return message("nested_too_deeply");
  if (/^missing closing ["']quote/.test(detail)) return message("yaml_quote_open");
  if (detail.startsWith("implicit map keys need")) return message("yaml_key_without_value");
  return message(CODES[code], { detail });
}
