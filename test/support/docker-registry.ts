import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer, connect, type AddressInfo, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

export type DockerRegistryOptions = {
  directory: string;
  /** Lines of an htpasswd file (bcrypt). */
  htpasswd?: string;
  tls?: { certificate: string; key: string };
};

/** Debian's docker-registry on a loopback port, with its data in a directory; ended by its process id. */
export class DockerRegistry implements AsyncDisposable {
  readonly port: number;
  readonly #process: ChildProcess;

  private constructor(port: number, process: ChildProcess) {
    this.port = port;
    this.#process = process;
  }

  static async start(options: DockerRegistryOptions): Promise<DockerRegistry> {
    const port = await freePort();
    await mkdir(options.directory, { recursive: true });
    const config = join(options.directory, "config.json");
    const htpasswd = join(options.directory, "htpasswd");
    if (options.htpasswd !== undefined) await writeFile(htpasswd, options.htpasswd);
    // JSON is YAML.
    const settings = {
      version: "0.1",
      log: { level: "error" },
      storage: { filesystem: { rootdirectory: join(options.directory, "data") }, delete: { enabled: true } },
      http: { addr: `127.0.0.1:${port}`, ...(options.tls === undefined ? {} : { tls: options.tls }) },
      ...(options.htpasswd === undefined ? {} : { auth: { htpasswd: { realm: "test", path: htpasswd } } }),
    };
    await writeFile(config, JSON.stringify(settings));
    const process = spawn("/usr/bin/docker-registry", ["serve", config], { stdio: "ignore" });
    const registry = new DockerRegistry(port, process);
    await awaitPort(port);
    return registry;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exited = once(this.#process, "exit");
    this.#process.kill("SIGKILL");
    await exited;
  }
}

/** A TCP relay to a port that counts what passes and can break connections after so many bytes. */
export class Relay implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Bytes from and to the target. */
  received = 0;
  sent = 0;
  /** Pauses everything that comes from the target once so many bytes have: a download that never ends. */
  holdAfter: number | undefined;
  /** Breaks everything when so many more bytes have passed in a direction; once. */
  cutAfter: { direction: "received" | "sent"; bytes: number } | undefined;

  private constructor(target: number) {
    this.#server = createServer((client) => {
      const upstream = connect(target, "127.0.0.1");
      for (const socket of [client, upstream]) {
        this.#sockets.add(socket);
        socket.on("error", () => undefined);
        socket.on("close", () => {
          this.#sockets.delete(socket);
          client.destroy();
          upstream.destroy();
        });
      }
      client.on("data", (chunk) => this.#pass("sent", chunk, { from: client, to: upstream }));
      upstream.on("data", (chunk) => this.#pass("received", chunk, { from: upstream, to: client }));
    });
  }

  static async start(target: number): Promise<Relay> {
    const relay = new Relay(target);
    await once(relay.#server.listen(0, "127.0.0.1"), "listening");
    return relay;
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #pass(direction: "received" | "sent", chunk: Buffer, { from, to }: { from: Socket; to: Socket }): void {
    this[direction] += chunk.length;
    const cut = this.cutAfter;
    if (cut?.direction === direction && (cut.bytes -= chunk.length) < 0) {
      this.cutAfter = undefined;
      for (const socket of this.#sockets) socket.destroy();
      return;
    }
    if (direction === "received" && this.holdAfter !== undefined && this.received > this.holdAfter) {
      from.pause();
      return;
    }
    // Nothing is hoarded here: what was counted has also arrived, but for the kernel's buffers.
    if (to.write(chunk)) return;
    from.pause();
    to.once("drain", () => from.resume());
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

async function awaitPort(port: number): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const socket = connect(port, "127.0.0.1");
    const isOpen = await Promise.race([once(socket, "connect").then(() => true), once(socket, "error").then(() => false)]).catch(
      () => false,
    );
    socket.destroy();
    if (isOpen) return;
    await sleep(50);
  }
  throw new Error(`docker-registry does not listen on port ${port}`);
}
