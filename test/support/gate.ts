import { connect, createServer, type Server, type Socket } from "node:net";

export type Gate = { port: number; shut(): void; open(): void; close(): Promise<void> };

/** A TCP port before a unix socket or another port, which can be shut: open connections break and new ones are refused. */
export async function openGate(target: string | { port: number }): Promise<Gate> {
  let isOpen = true;
  const sockets = new Set<Socket>();
  const server: Server = createServer((outer) => {
    outer.on("error", () => undefined);
    if (!isOpen) return void outer.destroy();
    const inner = typeof target === "string" ? connect(target) : connect(target.port, "127.0.0.1");
    for (const socket of [outer, inner]) {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.once("close", () => sockets.delete(socket));
    }
    outer.pipe(inner).pipe(outer);
    outer.once("close", () => inner.destroy());
    inner.once("close", () => outer.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const shut = (): void => {
    isOpen = false;
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    shut,
    open: () => void (isOpen = true),
    close: () => {
      shut();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
