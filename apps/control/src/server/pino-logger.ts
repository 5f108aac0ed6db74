import type { LogFields, Logger } from "@flotilla/core";
import { destination, pino, stdTimeFunctions, type Logger as PinoLogger } from "pino";

export type LoggerOptions = { level: "debug" | "info" | "warn" | "error"; isTerminal: boolean };

/** The control plane's log on the standard error: JSON lines, or readable text when a person looks at it on a terminal. */
export function createPinoLogger(options: LoggerOptions): Logger {
  const sink = destination({ fd: 2, sync: true });
  const lines = options.isTerminal ? { write: (line: string) => void sink.write(formatForTerminal(line)) } : sink;
  const formatters = { level: (label: string) => ({ level: label }) };
  return adapt(pino({ level: options.level, base: null, timestamp: stdTimeFunctions.isoTime, formatters }, lines));
}

function adapt(logger: PinoLogger): Logger {
  const write =
    (level: LoggerOptions["level"]) =>
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

function formatForTerminal(line: string): string {
  const { level, time, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const facts = Object.entries(fields).map(([key, value]) => ` ${key}=${typeof value === "string" ? value : JSON.stringify(value)}`);
  return `${String(time).slice(11, 23)} ${String(level).padEnd(5)} control: ${String(msg)}${facts.join("")}\n`;
}
