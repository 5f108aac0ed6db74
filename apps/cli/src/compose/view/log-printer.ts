import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import { STDCOPY, StdcopyDecoder } from "@flotilla/engine-api";
import { colourOf } from "./colours.ts";

export type LogStreamName = "stdout" | "stderr";
export type LogOutput = { write(text: string): unknown };
export type PrinterOptions = { prefix: boolean; colour: boolean; stdout: LogOutput; stderr: LogOutput };

/** A longer line is cut: one program must not fill the memory of another. */
const MAX_LINE_CHARS = 256 * 1024;

/** Lines of several containers on one terminal, each behind its container's name, each service in its colour. */
export class LogPrinter {
  readonly #options: PrinterOptions;
  readonly #colours = new Map<string, (text: string) => string>();
  #width = 0;

  constructor(options: PrinterOptions) {
    this.#options = options;
  }

  /** Makes room for a name, so that the bars of all lines stand below each other. */
  register(name: string): void {
    this.#width = Math.max(this.#width, name.length);
    if (!this.#colours.has(name)) this.#colours.set(name, colourOf(this.#colours.size));
  }

  line(name: string, text: string, stream: LogStreamName = "stdout"): void {
    this.#options[stream].write(`${this.#prefix(name)}${text}\n`);
  }

  /** A sentence of ours about a container, in the place of a line. */
  event(name: string, text: string): void {
    this.#options.stdout.write(`${name} ${text}\n`);
  }

  /** Prints a container's log as it comes, to the end of the stream. */
  async print(name: string, response: Readable, isMultiplexed: boolean): Promise<void> {
    await cutLines(response, isMultiplexed, (text, stream) => this.line(name, text, stream));
  }

  #prefix(name: string): string {
    if (!this.#options.prefix) return "";
    const text = `${name.padEnd(this.#width)}  | `;
    const colour = this.#colours.get(name);
    return this.#options.colour && colour !== undefined ? colour(text) : text;
  }
}

/** Tells the lines of a log or of an attached container, to the end of the stream. */
export async function cutLines(
  response: Readable,
  isMultiplexed: boolean,
  tell: (text: string, stream: LogStreamName) => void,
): Promise<void> {
  const out = new LineCutter((text) => tell(text, "stdout"));
  const err = new LineCutter((text) => tell(text, "stderr"));
  const decoder = new StdcopyDecoder();
  for await (const chunk of response) {
    const bytes = chunk as Buffer;
    if (!isMultiplexed) out.push(bytes);
    else for (const frame of decoder.push(bytes)) (frame.stream === STDCOPY.stderr ? err : out).push(frame.payload);
  }
  out.end();
  err.end();
}

/** By the answer's own word where it has one, else by whether there is a terminal. */
export function isMultiplexed(response: IncomingMessage, hasTerminal: boolean): boolean {
  const type = response.headers["content-type"] ?? "";
  if (type.includes("multiplexed-stream")) return true;
  return !hasTerminal;
}

class LineCutter {
  readonly #tell: (line: string) => void;
  readonly #decoder = new TextDecoder();
  #rest = "";

  constructor(tell: (line: string) => void) {
    this.#tell = tell;
  }

  push(bytes: Uint8Array): void {
    const lines = (this.#rest + this.#decoder.decode(bytes, { stream: true })).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#tell(line.endsWith("\r") ? line.slice(0, -1) : line);
    for (; this.#rest.length > MAX_LINE_CHARS; this.#rest = this.#rest.slice(MAX_LINE_CHARS))
      this.#tell(this.#rest.slice(0, MAX_LINE_CHARS));
  }

  end(): void {
    if (this.#rest !== "") this.#tell(this.#rest);
    this.#rest = "";
  }
}
