import { formatMessage, type Message, message } from "../message.ts";
import { projectFields } from "./project-fields.ts";
import { type Fields, keysOf } from "./reader.ts";
import { serviceFields } from "./service-fields.ts";

/** One key of a compose file and what becomes of it. */
export type KeySupport = {
  /** `services.ports.host_ip`; names that the user chooses are left out. */
  path: string;
  /** `yes`, or why not, on one host. */
  onHost: string;
  /** The same for a stack over several hosts. */
  onHosts: string;
  /** `onHosts` as data, when it is not `yes`. */
  note?: Message;
};

/** Every key that is known, in the order of the alphabet below each section. */
export function listSupport(): KeySupport[] {
  const top = Object.entries(projectFields("host")).flatMap(([key, field]) => below({ [key]: field }, ""));
  const services = below(serviceFields("host"), "services.");
  return [...top, ...services].sort((a, b) => (a.path < b.path ? -1 : 1));
}

function below(fields: Fields, prefix: string): KeySupport[] {
  return Object.entries(fields).flatMap(([key, field]) => {
    // The short form's own name in the canonical tree; no file has it.
    if (key === "single") return [];
    const path = `${prefix}${key}`;
    const { note, hostNote } = field;
    const onHost = note ?? hostNote;
    const own: KeySupport = { path, onHost: onHost === undefined ? "yes" : formatMessage(message(onHost)), onHosts: "yes" };
    if (note !== undefined) Object.assign(own, { onHosts: formatMessage(message(note)), note: message(note) });
    const keys = keysOf(field.read);
    // What is not honoured as a whole needs no list of its parts.
    return keys === undefined || field.note !== undefined ? [own] : [own, ...below(keys, `${path}.`)];
  });
}

/** The table of `docs/compose.md`. */
export function supportTable(): string {
  const rows = listSupport().map(({ path, onHost, onHosts }) => `| \`${path}\` | ${onHost} | ${onHosts} |`);
  return ["| key | on one host | over several hosts |", "|---|---|---|", ...rows].join("\n");
}
