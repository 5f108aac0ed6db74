import type { Duplex } from "node:stream";
import { toFlotillaError, type Logger } from "@flotilla/core";
import { containerEvent } from "../api/container-event.ts";
import type { Containers, ContainerView } from "../engine/containers-port.ts";
import type { EventBus } from "../events/bus.ts";
import { ConsoleSocket, type OutputSelection } from "./console-socket.ts";
import { pumpInput } from "./pump-input.ts";

export type AttachRequest = {
  view: ContainerView;
  stdin: boolean;
  output: OutputSelection;
  detachKeys: Uint8Array;
};

/** A console that is there already, or comes with the container's next start. `undefined`: it never came. */
type PendingConsole = { console: Promise<ConsoleSocket | undefined>; cancel(): void };

/**
 * Joins clients to the standard streams of containers.
 *
 * INVARIANTS: a client of a container that does not run is joined before the program's first instruction; a client that
 * leaves never ends a container's input unless the container was made with StdinOnce and this client had the input.
 */
export class AttachService {
  readonly #containers: Containers;
  readonly #events: EventBus;
  readonly #logger: Logger;

  constructor(parts: { containers: Containers; events: EventBus; logger: Logger }) {
    this.#containers = parts.containers;
    this.#events = parts.events;
    this.#logger = parts.logger;
  }

  /**
   * Registers the client at once, so that a start right after finds it.
   * @returns what runs the session on the client's connection until the container ends or the client detaches or goes.
   */
  prepare(request: AttachRequest): { run(client: Duplex): Promise<void>; cancel(): void } {
    const pending = this.#openConsole(request.view);
    return { cancel: () => pending.cancel(), run: (client) => this.#run(request, pending, client) };
  }

  async #run(request: AttachRequest, pending: PendingConsole, client: Duplex): Promise<void> {
    this.#events.publish(containerEvent(request.view, "attach"));
    const onClose = (): void => pending.cancel();
    client.once("close", onClose);
    const console = await pending.console;
    client.off("close", onClose);
    if (console === undefined) return;
    const output = console.pipeOutput(client, request.output);
    const input = this.#pumpInput(request, console, client);
    const end = await Promise.race([output.then((isEnded) => (isEnded ? "container-ended" : "client-gone")), input]);
    if (end === "container-ended") console.destroy();
    else if (request.stdin && end === "client-gone" && request.view.stdinOnce) console.destroy();
    else console.release();
    if (end === "detached") this.#events.publish(containerEvent(request.view, "detach"));
  }

  /** Settles only when the session ends by it: the end of input alone leaves the output flowing. */
  #pumpInput(request: AttachRequest, console: ConsoleSocket, client: Duplex): Promise<"detached" | "client-gone"> {
    const { view } = request;
    const takesInput = request.stdin && view.openStdin;
    const target = takesInput ? console : { writeInput: async () => true, endInput: () => undefined };
    return new Promise((resolve) => {
      pumpInput(client, target, view.tty && takesInput ? request.detachKeys : undefined).then(
        (end) => {
          if (end === "detached") resolve("detached");
          else if (takesInput && view.stdinOnce) console.endInput();
        },
        () => resolve("client-gone"),
      );
    });
  }

  #openConsole(view: ContainerView): PendingConsole {
    if (view.status === "running" || view.status === "paused") {
      return { console: Promise.resolve(new ConsoleSocket(targetOf(view))), cancel: () => undefined };
    }
    let settle: (console: ConsoleSocket | undefined) => void = () => undefined;
    const console = new Promise<ConsoleSocket | undefined>((resolve) => {
      settle = resolve;
    });
    const removeHook = this.#containers.onBeforeStart(view.id, async (started) => {
      try {
        settle(new ConsoleSocket(targetOf(started)));
      } catch (error) {
        // The start goes on: only this client's view of it is lost.
        this.#logger.warn("cannot attach to a starting container", { containerId: view.id, error: toFlotillaError(error).message });
        settle(undefined);
      }
    });
    // A container that is removed without ever starting ends the wait of its clients.
    const unsubscribe = this.#events.subscribe((event) => {
      if (event.type === "container" && event.action === "destroy" && event.id === view.id) settle(undefined);
    });
    const settled = console.finally(() => {
      removeHook();
      unsubscribe();
    });
    return { console: settled, cancel: () => settle(undefined) };
  }
}

function targetOf(view: ContainerView) {
  return {
    attachSocketPath: view.attachSocketPath,
    pid: view.pid,
    tty: view.tty,
    closesInputOnLeave: view.openStdin && view.stdinOnce,
  };
}
