// `node agent/src/dns/resolver-main.ts RUN_DIR CODE flotilla-resolver`: the resolver as a process of its own. It outlives the agent, so that names
// resolve while there is none; a newer one takes its place without a gap: both hold the same addresses (SO_REUSEPORT) until
// the older one is told to end.
import { existsSync, renameSync } from "node:fs";
import { flushCompileCache } from "node:module";
import { connect, createServer, type Server, type Socket } from "node:net";
import { once } from "node:events";
import { Forwarder } from "./forwarder.ts";
import { FromResolver, readLines, sendLine, ToResolver } from "./control-messages.ts";
import { HostServers } from "./host-servers.ts";
import { type ResolverPaths, resolverPaths } from "./resolver-paths.ts";
import { ResolverServer } from "./resolver-server.ts";
import { socketTransport } from "./transport.ts";

/** Nobody needs a resolver whose instance was removed from the machine. */
const ORPHAN_CHECK_MS = 5_000;
const HANDOVER_MS = 5_000;

async function runResolver(runDir: string, code: string): Promise<void> {
  const paths = resolverPaths(runDir);
  const forwarder = new Forwarder({ transport: socketTransport, nowMs: Date.now });
  const hosts = new Map<string, HostServers>();
  const hostServers = (path: string): HostServers => hosts.get(path) ?? hosts.set(path, new HostServers(path, Date.now)).get(path) as HostServers; // prettier-ignore
  const server = new ResolverServer(paths.state, (resolvConfPath) => ({
    forwarder,
    hostServers: () => hostServers(resolvConfPath).list(),
    random: Math.random,
  }));
  await server.load();
  const older = await findOlder(paths);
  const control = await listen(paths, (socket) => serve(socket, { server, code }));
  if (older !== undefined) await endOlder(older);
  // Node writes what it compiled at a regular end, which a resolver may never have: the next one would compile all of it again, and
  // keep the 24 MB that the compiler takes.
  flushCompileCache();
  process.on("SIGTERM", () => end(server, control));
  setInterval(() => {
    if (!existsSync(paths.state)) end(server, control);
  }, ORPHAN_CHECK_MS);
}

function serve(socket: Socket, { server, code }: { server: ResolverServer; code: string }): void {
  socket.on("error", () => undefined);
  sendLine(socket, { code, pid: process.pid });
  readLines(socket, ToResolver, (message) => {
    if ("end" in message) {
      end(server);
      return;
    }
    server.load().then(
      (loaded) => sendLine(socket, loaded),
      // Without an answer the agent starts another one, which says why it cannot start.
      (error: unknown) => {
        process.stderr.write(`the state cannot be read: ${String(error)}\n`);
        socket.destroy();
      },
    );
  });
}

/** Under a name of its own first, then renamed: whoever connects finds the older one or this one, never nobody. */
async function listen(paths: ResolverPaths, onConnection: (socket: Socket) => void): Promise<Server> {
  const own = `${paths.dir}/${process.pid}.sock`;
  const control = createServer(onConnection);
  control.listen(own);
  await once(control, "listening");
  renameSync(own, paths.socket);
  return control;
}

async function findOlder(paths: ResolverPaths): Promise<Socket | undefined> {
  const socket = connect(paths.socket);
  try {
    await once(socket, "connect");
    return socket;
  } catch {
    return undefined;
  }
}

/** It goes on answering what it was asked already, and is gone when its connection is. */
async function endOlder(socket: Socket): Promise<void> {
  socket.on("error", () => undefined);
  const gone = once(socket, "close");
  readLines(socket, FromResolver, () => undefined);
  sendLine(socket, { end: true });
  await Promise.race([gone, new Promise((resolve) => setTimeout(resolve, HANDOVER_MS).unref())]);
}

function end(server: ResolverServer, control?: Server): void {
  server.close();
  control?.close();
  process.exit(0);
}

// What nobody caught is a bug of one question: it is logged, and the other containers keep their names.
process.on("uncaughtException", (error) => process.stderr.write(`an exception was not caught: ${error.stack ?? error.message}\n`));
const [runDir, code] = process.argv.slice(2);
if (runDir === undefined || code === undefined) throw new TypeError("usage: resolver-main.ts RUN_DIR CODE");
try {
  await runResolver(runDir, code);
} catch (error) {
  process.stderr.write(`the resolver cannot start: ${String(error)}\n`);
  process.exit(1);
}
