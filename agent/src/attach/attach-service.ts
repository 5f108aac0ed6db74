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

/** The console of the container's next start. `undefined`: it never came. */
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
   * @returns what runs the session on the client's connection until the container ends or the client detaches or goes,
   * and what forgets the client when it went before that.
   */
  prepare(request: AttachRequest): { run(client: Duplex): Promise<void>; cancel(): void } {
    const { view } = request;
    const pending = view.status === "running" || view.status === "paused" ? undefined : this.#awaitStart(view);
    let isRun = false;
    return {
      cancel: () => {
        pending?.cancel();
        // An open console that nobody reads would stop the container's output.
        if (!isRun) void pending?.console.then((console) => console?.release());
      },
      run: async (client) => {
        isRun = true;
        this.#events.publish(containerEvent(view, "attach"));
        const cancel = (): void => pending?.cancel();
        client.once("close", cancel);
        const console = pending === undefined ? openConsole(view) : await pending.console;
        client.off("close", cancel);
        if (console !== undefined) await this.#join(request, console, client);
      },
    };
  }

  async #join(request: AttachRequest, console: ConsoleSocket, client: Duplex): Promise<void> {
    const { view } = request;
    const output = console.pipeOutput(client, request.output).then((isEnded) => (isEnded ? "container-ended" : "client-gone"));
    const end = await Promise.race([output, this.#pumpInput(request, console, client)]);
    if (end === "container-ended" || (end === "client-gone" && request.stdin && endsWithClient(view))) console.destroy();
    else console.release();
    if (end === "detached") this.#events.publish(containerEvent(view, "detach"));
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
          else if (takesInput && endsWithClient(view)) console.endInput();
          // The docker command looks for the detach keys itself and hangs up: on a terminal the end of input is a goodbye.
          else if (takesInput && view.tty) resolve("client-gone");
        },
        () => resolve("client-gone"),
      );
    });
  }

  #awaitStart(view: ContainerView): PendingConsole {
    let settle: (console: ConsoleSocket | undefined) => void = () => undefined;
    const console = new Promise<ConsoleSocket | undefined>((resolve) => {
      settle = resolve;
    });
    const removeHook = this.#containers.onBeforeStart(view.id, async (started) => {
      try {
        const opened = openConsole(started);
        settle(opened);
        await opened.taken();
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

function openConsole(view: ContainerView): ConsoleSocket {
  return new ConsoleSocket({
    attachSocketPath: view.attachSocketPath,
    pid: view.pid,
    tty: view.tty,
    closesInputOnLeave: endsWithClient(view),
  });
}

/** Docker's StdinOnce: the input ends with the client that had it. A terminal's never does. */
function endsWithClient(view: ContainerView): boolean {
  return view.openStdin && view.stdinOnce && !view.tty;
}
