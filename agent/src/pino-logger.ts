import type { LogFields, Logger } from "@flotilla/core";
import { destination, pino, stdTimeFunctions, type Logger as PinoLogger } from "pino";

export type LoggerOptions = { level: "debug" | "info" | "warn" | "error"; isTerminal: boolean; fd: number };

/** The agent's log: JSON lines, or readable text when a person looks at it on a terminal. */
export function createPinoLogger(options: LoggerOptions): Logger {
  const sink = destination({ fd: options.fd, sync: true });
  const lines = options.isTerminal ? { write: (line: string) => void sink.write(formatForTerminal(line)) } : sink;
  const settings = {
    level: options.level,
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return adapt(pino(settings, lines));
}

function adapt(logger: PinoLogger): Logger {
  const write =
    (level: "debug" | "info" | "warn" | "error") =>
    (message: string, fields: LogFields = {}): void =>
      logger[level](fields, message);
  return {
    debug: write("debug"),
    info: write("info"),
    warn: write("warn"),
    error: write("error"),
    child: (fields) => adapt(logger.child(fields)),
  };
}

/** `12:34:56.789 warn  message key=value …` */
export function formatForTerminal(line: string): string {
  const { level, time, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const facts = Object.entries(fields).map(([key, value]) => ` ${key}=${typeof value === "string" ? value : JSON.stringify(value)}`);
  return `${String(time).slice(11, 23)} ${String(level).padEnd(5)} ${String(msg)}${facts.join("")}\n`;
}
