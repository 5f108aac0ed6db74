import { matchesLabels, type Filters } from "@flotilla/engine-api";
import type { EngineEvent } from "../events/bus.ts";

/** Filters that `GET /events` takes. */
export const EVENT_FILTERS = [
  "config",
  "container",
  "daemon",
  "event",
  "image",
  "label",
  "network",
  "node",
  "plugin",
  "scope",
  "secret",
  "service",
  "type",
  "volume",
] as const;

/** Filters by kind of object: each value is a prefix of the object's id or name. */
const OBJECT_FILTERS = ["config", "container", "daemon", "network", "node", "plugin", "secret", "service", "volume"] as const;

/** Actions that carry more behind a colon: a filter may name the part before it. */
const COMPOUND_ACTION = /^(exec_create|exec_start|health_status):/;

/** Whether an event passes all filters: any value within one, all of them together. */
export function matchesEvent(event: EngineEvent, filters: Filters): boolean {
  return (
    isOneOf(filters.get("type"), event.type) &&
    isOneOf(filters.get("scope"), "local") &&
    isOneOf(filters.get("event"), event.action, COMPOUND_ACTION.exec(event.action)?.[1]) &&
    matchesImage(event, filters.get("image")) &&
    matchesLabels(event.attributes, filters.get("label") ?? []) &&
    OBJECT_FILTERS.every((kind) => matchesObject(event, kind, filters.get(kind)))
  );
}

function isOneOf(wanted: readonly string[] | undefined, ...values: (string | undefined)[]): boolean {
  return wanted === undefined || values.some((value) => value !== undefined && wanted.includes(value));
}

function matchesObject(event: EngineEvent, kind: string, wanted: readonly string[] | undefined): boolean {
  if (wanted === undefined) return true;
  if (event.type !== kind) return false;
  const name = event.attributes["name"] ?? "";
  return wanted.some((value) => event.id.startsWith(value) || name.startsWith(value));
}

function matchesImage(event: EngineEvent, wanted: readonly string[] | undefined): boolean {
  if (wanted === undefined) return true;
  const name = event.attributes[event.type === "image" ? "name" : "image"] ?? "";
  return isOneOf(wanted, event.id, name, withoutTag(event.id), withoutTag(name));
}

/** `host:5000/app:1` → `host:5000/app`. */
function withoutTag(reference: string): string {
  const colon = reference.lastIndexOf(":");
  return colon > reference.lastIndexOf("/") ? reference.slice(0, colon) : reference;
}
