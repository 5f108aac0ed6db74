/** One layer of a pull or push. Bytes. */
export type LayerProgress = { id: string; status: string; current: number | null; total: number | null };

export type OperationKind = "pull" | "push" | "build";

/** Something that goes on in the background of this tab. Times in milliseconds since 1970. */
export type Operation = {
  id: string;
  kind: OperationKind;
  host: string;
  /** What it is about: an image's name. */
  subject: string;
  state: "running" | "done" | "failed" | "cancelled";
  startedAt: number;
  endedAt: number | null;
  layers: readonly LayerProgress[];
  /** What was said of the whole, a line each: a build's log, a transfer's words. */
  lines: readonly string[];
  upload: { sentBytes: number; totalBytes: number } | null;
  error: string | null;
};

export type Step = { id?: string | undefined; status: string; current?: number | undefined; total?: number | undefined };

/** More lines than a person reads; the oldest go first. */
const MAX_LINES = 5_000;
const MAX_ENDED = 20;

/** Puts a batch of steps into a transfer: a step of a layer replaces the one before, a word on the whole is a line. */
export function applySteps(operation: Operation, steps: readonly Step[]): Operation {
  const layers = new Map(operation.layers.map((layer) => [layer.id, layer]));
  const lines: string[] = [];
  for (const { id, status, current, total } of steps) {
    // The engine names the tag as the id of its first word ("Pulling from library/nginx").
    if (id === undefined || /^(Pulling from|The push refers)/.test(status)) lines.push(status);
    else layers.set(id, { id, status, current: current ?? null, total: total ?? layers.get(id)?.total ?? null });
  }
  return { ...operation, layers: [...layers.values()], lines: keepLast([...operation.lines, ...lines]) };
}

/** Adds text as it arrives: it may end in the middle of a line, and a carriage return writes a line anew. */
export function appendText(lines: readonly string[], text: string): string[] {
  const parts = `${lines.at(-1) ?? ""}${text}`.split("\n").map((line) => line.replace(/\r$/, "").replace(/^.*\r/, ""));
  return keepLast([...lines.slice(0, -1), ...parts]);
}

function keepLast(lines: string[]): string[] {
  return lines.length > MAX_LINES ? lines.slice(-MAX_LINES) : lines;
}

const FINISHED = /^(Pull complete|Already exists|Pushed|Layer already exists|Mounted from|Download complete)/;

/** How far a transfer is, 0 to 100 by its layers; null while nothing is known. */
export function percentOf({ layers, upload, kind, state }: Pick<Operation, "layers" | "upload" | "kind" | "state">): number | null {
  if (state === "done") return 100;
  if (kind === "build")
    return upload === null || upload.totalBytes === 0 ? null : Math.min(100, (upload.sentBytes / upload.totalBytes) * 100);
  if (layers.length === 0) return null;
  const parts = layers.map((layer): number => {
    if (FINISHED.test(layer.status)) return 1;
    return layer.current === null || layer.total === null ? 0 : Math.min(1, layer.current / layer.total);
  });
  return (parts.reduce((sum, part) => sum + part, 0) / layers.length) * 100;
}

export type Operations = {
  list: () => readonly Operation[];
  subscribe: (listener: () => void) => () => void;
  add: (about: Pick<Operation, "kind" | "host" | "subject">, cancel: () => void) => string;
  update: (id: string, change: (operation: Operation) => Operation) => void;
  /** Ends it. What has ended already stays as it ended. */
  end: (id: string, state: "done" | "failed", error?: string) => void;
  cancel: (id: string) => void;
  /** Forgets what is over. */
  clear: () => void;
};

/** The operations of a tab, newest first. Those that ended stay to be looked at until they are cleared. */
export function createOperations(now: () => number): Operations {
  let all: readonly Operation[] = [];
  let count = 0;
  const listeners = new Set<() => void>();
  const cancels = new Map<string, () => void>();
  const set = (next: readonly Operation[]): void => {
    all = next;
    for (const listener of listeners) listener();
  };
  const update: Operations["update"] = (id, change) =>
    set(all.map((one) => (one.id === id && one.state === "running" ? change(one) : one)));
  const finish = (id: string, state: Operation["state"], error: string | null): void => {
    update(id, (one) => ({ ...one, state, error, endedAt: now() }));
    cancels.delete(id);
  };
  return {
    list: () => all,
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    add: (about, cancel) => {
      count += 1;
      const id = String(count);
      const fresh: Operation = {
        ...about,
        id,
        state: "running",
        startedAt: now(),
        endedAt: null,
        layers: [],
        lines: [],
        upload: null,
        error: null,
      };
      cancels.set(id, cancel);
      const running = all.filter((one) => one.state === "running");
      const ended = all.filter((one) => one.state !== "running").slice(0, MAX_ENDED);
      set([fresh, ...running, ...ended]);
      return id;
    },
    update,
    end: (id, state, error) => finish(id, state, error ?? null),
    cancel: (id) => {
      const stop = cancels.get(id);
      finish(id, "cancelled", null);
      stop?.();
    },
    clear: () => set(all.filter((one) => one.state === "running")),
  };
}
