/** Facts of a log line; names are the same everywhere: containerId, hostId, namespace, durationMs, error. */
export type LogFields = Readonly<Record<string, unknown>>;

/** The port through which all code logs. The message is a constant sentence, the facts are fields. */
export type Logger = {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  child(fields: LogFields): Logger;
};

/** A logger that drops everything; the default of code under test. */
export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLogger,
};
