import { Client, type ClientConfig } from "pg";

const RETRY_MS = 1_000;

export type ListenOptions = {
  /** A plain identifier. */
  channel: string;
  onPayload: (payload: string) => void;
  /** Called when the connection was lost; it is made again by itself. What was notified meanwhile is not repeated. */
  onLost: (error: Error) => void;
  /** Called whenever it listens, also again: time to look at everything that may have been notified meanwhile. */
  onListening?: () => void;
};

/** Hears NOTIFY of one channel on a connection of its own (Postgres, LISTEN). Returns the function that ends it. */
export function listen(connection: ClientConfig, options: ListenOptions): () => Promise<void> {
  let isStopping = false;
  let client: Client | undefined;
  let retry: NodeJS.Timeout | undefined;
  const start = async (): Promise<void> => {
    const own = new Client(connection);
    client = own;
    let isLost = false;
    const lose = (error: Error): void => {
      if (isLost || isStopping) return;
      isLost = true;
      options.onLost(error);
      retry = setTimeout(() => void start(), RETRY_MS);
    };
    own.on("error", lose);
    own.on("end", () => lose(new Error("the connection ended")));
    own.on("notification", ({ payload }) => options.onPayload(payload ?? ""));
    try {
      await own.connect();
      await own.query(`LISTEN ${own.escapeIdentifier(options.channel)}`);
      options.onListening?.();
    } catch (error) {
      lose(error instanceof Error ? error : new Error(String(error)));
    }
  };
  const started = start();
  return async () => {
    isStopping = true;
    clearTimeout(retry);
    await started;
    await client?.end();
  };
}
