/** What happens to one object: `Container shop-web-1  Started`. */
export type ProgressEvent = { kind: "Network" | "Volume" | "Container" | "Image"; name: string; status: string; detail?: string };

/** How effects tell what they do; always to standard error, so that output can be piped. */
export type Progress = {
  set(event: ProgressEvent): void;
  /** A sentence beside the list. */
  note(text: string): void;
  /** Text of a build, as it comes. */
  raw(text: string): void;
  /** Other output to the same terminal, whole lines: the list makes room for it, or it would be wiped away with the list. */
  beside(write: () => void): void;
  /** The list is complete: what follows is other output. */
  end(): void;
};

type Stream = { write(text: string): unknown; isTTY?: boolean; columns?: number; rows?: number };

export const silentProgress: Progress = { set() {}, note() {}, raw() {}, beside: (write) => write(), end() {} };

/** Lines of words that are done keep their place; those that go on are drawn anew. On no terminal, one line for each change. */
export function createProgress(stream: Stream, { ansi, colour }: { ansi: boolean; colour: boolean }): Progress {
  return ansi ? new LiveProgress(stream, colour) : new PlainProgress(stream);
}

const ACTIVE = /ing$/;
const label = ({ kind, name, status }: ProgressEvent): string => ` ${kind} ${name}  ${status}`;

class PlainProgress implements Progress {
  readonly #stream: Stream;

  constructor(stream: Stream) {
    this.#stream = stream;
  }

  set(event: ProgressEvent): void {
    // Details change too often to be lines.
    if (event.detail === undefined) this.#stream.write(`${label(event)}\n`);
  }

  note(text: string): void {
    this.#stream.write(`${text}\n`);
  }

  raw(text: string): void {
    this.#stream.write(text);
  }

  beside(write: () => void): void {
    write();
  }

  end(): void {}
}

class LiveProgress implements Progress {
  readonly #stream: Stream;
  readonly #colour: boolean;
  readonly #events = new Map<string, ProgressEvent>();
  #drawn = 0;

  constructor(stream: Stream, colour: boolean) {
    this.#stream = stream;
    this.#colour = colour;
  }

  set(event: ProgressEvent): void {
    this.#events.set(`${event.kind} ${event.name}`, event);
    this.#draw();
  }

  note(text: string): void {
    this.beside(() => this.#stream.write(`${text}\n`));
  }

  beside(write: () => void): void {
    this.#erase();
    write();
    if (this.#events.size > 0) this.#draw();
  }

  raw(text: string): void {
    this.end();
    this.#stream.write(text);
  }

  end(): void {
    this.#drawn = 0;
    this.#events.clear();
  }

  #erase(): void {
    if (this.#drawn > 0) this.#stream.write(`\u001B[${this.#drawn}A\u001B[J`);
    this.#drawn = 0;
  }

  /** As many as the terminal holds, those that are still being worked on first. */
  #draw(): void {
    const width = Math.max(20, (this.#stream.columns ?? 80) - 1);
    const height = Math.max(3, (this.#stream.rows ?? 24) - 2);
    const all = [...this.#events.values()];
    const done = all.filter(({ status }) => !ACTIVE.test(status)).length;
    const shown =
      all.length <= height ? all : [...all].sort((a, b) => Number(ACTIVE.test(b.status)) - Number(ACTIVE.test(a.status))).slice(0, height);
    const lines = [`[+] Running ${done}/${all.length}`, ...shown.map((event) => this.#line(event))].map((line) => clip(line, width));
    this.#erase();
    this.#stream.write(`${lines.join("\n")}\n`);
    this.#drawn = lines.length;
  }

  #line(event: ProgressEvent): string {
    const mark = event.status === "Error" ? "✘" : ACTIVE.test(event.status) ? "⠿" : "✔";
    const text = ` ${mark}${label(event)}${event.detail === undefined ? "" : ` ${event.detail}`}`;
    if (!this.#colour) return text;
    const code = event.status === "Error" ? 31 : ACTIVE.test(event.status) ? 34 : 32;
    return `\u001B[${code}m${text}\u001B[0m`;
  }
}

/** Cuts a line to the terminal's width; sequences of colour take no room. */
function clip(line: string, width: number): string {
  // oxlint-disable-next-line no-control-regex -- the escape that begins a colour
  const [, start = "", text = line, end = ""] = /^(\u001B\[\d+m)([^\u001B]*)(\u001B\[0m)$/.exec(line) ?? [];
  return `${start}${text.slice(0, width)}${end}`;
}
