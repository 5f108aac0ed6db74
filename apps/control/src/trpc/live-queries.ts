/** What changed somewhere, as the event stream tells it. */
export type LiveEvent = {
  kind: "host" | "container" | "image" | "volume" | "network" | "stack" | "activity";
  host?: string | undefined;
  id?: string | undefined;
  action: string;
};

/** A procedure's path, whole or its beginning: `["containers"]` means everything under it. */
export type QueryPath = readonly string[];

/** The path that every query's path begins with. */
export const EVERY_QUERY: QueryPath = [];

const TOUCHED: Readonly<Record<LiveEvent["kind"], readonly QueryPath[]>> = {
  host: [["hosts"], ["overview", "get"], ["containers", "list"], ["images", "list"], ["volumes", "list"], ["networks"]],
  container: [
    ["containers", "list"],
    ["containers", "inspect"],
    ["containers", "top"],
    ["overview", "get"],
    ["hosts", "list"],
    ["networks"],
  ],
  image: [["images"]],
  volume: [["volumes"]],
  network: [["networks"]],
  // Where a host may be used is said by the same news.
  stack: [
    ["stacks", "list"],
    ["stacks", "get"],
    ["stacks", "variables"],
    ["deployments", "list"],
    ["deployments", "get"],
    ["secrets"],
    ["configs"],
    ["hosts", "get"],
    ["hosts", "list"],
    ["overview", "get"],
  ],
  activity: [["activity"], ["overview", "get"]],
};

/** Changes of a container that no list shows: an exec, a health probe that found nothing new, a terminal that was resized. */
const UNSEEN = /^(exec_|top$|resize$|attach$|detach$|archive-path$|extract-to-dir$)/;

/** New measurements of a host, and how far it is with its desired state, change its own page, not what runs on it. */
const MEASURED: readonly QueryPath[] = [
  ["hosts", "list"],
  ["hosts", "get"],
  ["overview", "history"],
];

/** What changes which containers an image has, or when it was last used. */
const USES_IMAGE = /^(create|start|destroy)$/;

function touchedBy(event: LiveEvent): readonly QueryPath[] {
  if (UNSEEN.test(event.action)) return [];
  if (event.kind === "container" && USES_IMAGE.test(event.action)) return [...TOUCHED.container, ["images", "list"]];
  if (event.kind !== "host" || !/^(stats|state)$/.test(event.action)) return TOUCHED[event.kind];
  return event.action === "state" ? [...MEASURED, ["networks"]] : MEASURED;
}

/** The queries that a batch of events makes stale, each once. */
export function staleQueries(events: readonly LiveEvent[]): QueryPath[] {
  const paths = events.flatMap(touchedBy);
  return [...new Map(paths.map((path) => [path.join("."), path])).values()];
}

/**
 * Collects what became stale and tells it at most once in `intervalMs`: at once after a quiet time, else at the end of the interval.
 * A storm of events so costs a bounded number of requests, and the last change is never lost: `tell` gives back what it could not
 * ask anew yet, because an older request still runs whose answer may be from before the change; that is told again.
 */
export function createStaleCollector(
  intervalMs: number,
  tell: (paths: QueryPath[]) => readonly QueryPath[],
): { add: (paths: readonly QueryPath[]) => void; stop: () => void } {
  const waiting = new Map<string, QueryPath>();
  let timer: ReturnType<typeof setTimeout> | null = null;
  const add = (paths: readonly QueryPath[]): void => {
    for (const path of paths) waiting.set(path.join("."), path);
    if (timer === null && waiting.size > 0) flush();
  };
  const flush = (): void => {
    timer = null;
    if (waiting.size === 0) return;
    const paths = [...waiting.values()];
    waiting.clear();
    timer = setTimeout(flush, intervalMs);
    add(tell(paths));
  };
  return {
    add,
    stop: () => {
      if (timer !== null) clearTimeout(timer);
      timer = null;
      waiting.clear();
    },
  };
}
