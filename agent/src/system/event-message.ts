import type { EngineEvent } from "../events/bus.ts";

const NANOS_PER_SECOND = 1_000_000_000n;

/**
 * One event as a line of `GET /events`. The flat fields status, id and from are those of API versions below 1.52.
 * timeNano is beyond the exact integers of a JavaScript number, so the document is put together as text.
 */
export function formatEventLine(event: EngineEvent): string {
  const head = {
    ...legacyFields(event),
    Type: event.type,
    Action: event.action,
    Actor: { ID: event.id, Attributes: event.attributes },
    scope: "local",
    time: Number(event.timeNano / NANOS_PER_SECOND),
  };
  return `${JSON.stringify(head).slice(0, -1)},"timeNano":${event.timeNano}}\n`;
}

function legacyFields(event: EngineEvent): Record<string, string> {
  if (event.type === "container") {
    const from = event.attributes["image"];
    return { status: event.action, id: event.id, ...(from === undefined ? {} : { from }) };
  }
  return event.type === "image" ? { status: event.action, id: event.id } : {};
}
