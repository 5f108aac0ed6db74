import { z } from "zod";
import { filters } from "../engine/client.ts";
import { readJsonLines } from "../engine/read-lines.ts";
import { LABEL } from "../plan/labels.ts";
import type { Session } from "../session.ts";
import { toTime, untilInterrupted } from "./logs.ts";

const EngineEvent = z.object({
  Type: z.string(),
  Action: z.string(),
  timeNano: z.number(),
  Actor: z.object({ ID: z.string(), Attributes: z.record(z.string(), z.string()) }),
});

export type EventsOptions = { since?: string; until?: string };

/** What happens to the project's containers, as it happens, until Ctrl-C. */
export async function events(session: Session, services: readonly string[], options: EventsOptions): Promise<number> {
  const { name } = await session.findProject();
  const query = {
    filters: filters({ type: ["container"], label: [`${LABEL.project}=${name}`] }),
    since: toTime(options.since),
    until: toTime(options.until),
  };
  await untilInterrupted(session, async () => {
    const body = await session.engine.stream({ method: "GET", path: "/events", query, signal: session.signal });
    for await (const document of readJsonLines(body)) {
      const event = EngineEvent.safeParse(document);
      if (event.success) tell(session, event.data, services);
    }
  });
  return 0;
}

function tell(session: Session, { Type, Action, timeNano, Actor }: z.output<typeof EngineEvent>, services: readonly string[]): void {
  const { Attributes } = Actor;
  const service = Attributes[LABEL.service] ?? "";
  if (services.length > 0 && !services.includes(service)) return;
  const attributes = Object.fromEntries(Object.entries(Attributes).filter(([key]) => !key.startsWith("com.docker.compose.")));
  const time = new Date(timeNano / 1e6).toISOString();
  const text = Object.entries(attributes)
    .map(([key, value]) => `${key}=${value}`)
    .join(", ");
  session.result(`${time} ${Type} ${Action} ${Actor.ID} (${text})`, {
    time,
    type: Type,
    action: Action,
    id: Actor.ID,
    service,
    attributes,
  });
}
