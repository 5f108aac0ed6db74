import { connectTerminal, type Connection } from "@/components/terminal/connection.ts";
import { createScreen, type Screen } from "@/components/terminal/screen.ts";
import { sessionKey } from "@/lib/terminal-session.ts";
import { errorCode, errorMessage, type Trpc } from "@/trpc/client.ts";

export type TerminalState =
  | { kind: "idle"; error: string | null }
  | { kind: "connecting" }
  | { kind: "open" }
  | { kind: "ended"; code: number | null }
  | { kind: "lost" };

export type SessionOptions = {
  client: Trpc;
  host: string;
  id: string;
  element: HTMLElement;
  onState: (state: TerminalState) => void;
};

const REATTACH_DELAYS_MS = [500, 1_000, 2_000, 4_000, 8_000];

/**
 * A terminal in a container. Its session lives on the control plane, and the tab remembers only the session's id: a reload, a change
 * of tab or a lost connection attaches again to the same shell, with what was on its screen.
 */
export class TerminalSession {
  readonly #options: SessionOptions;
  readonly #screen: Screen;
  readonly #key: string;
  #connection: Connection | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #attempts = 0;
  #isDisposed = false;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#screen = createScreen(options.element);
    this.#key = sessionKey(options.host, options.id);
  }

  /** Starts a program with a terminal of the present size. */
  open(command: string[], user: string | undefined): void {
    const { client, host, id } = this.#options;
    const { rows, cols } = this.#screen.terminal;
    this.#tell({ kind: "connecting" });
    client.terminal.open.mutate({ host, id, command, ...(user === undefined ? {} : { user }), rows, cols }).then(
      ({ sessionId, ticket }) => {
        window.sessionStorage.setItem(this.#key, sessionId);
        this.#attach(ticket);
      },
      (error: unknown) => this.#tell({ kind: "idle", error: errorMessage(error) }),
    );
  }

  /** Attaches to the session that this tab remembers, if it remembers one. */
  reattach(): void {
    const sessionId = window.sessionStorage.getItem(this.#key);
    if (sessionId === null || this.#isDisposed) return;
    this.#tell({ kind: "connecting" });
    this.#options.client.terminal.reattach.mutate({ sessionId }).then(
      ({ ticket }) => this.#attach(ticket),
      (error: unknown) => {
        // An answer means that the session is gone; no answer means that the control plane is away.
        if (errorCode(error) === null) return this.#later();
        window.sessionStorage.removeItem(this.#key);
        return this.#tell({ kind: "idle", error: null });
      },
    );
  }

  /** After the end of a session: an empty screen for the next one. */
  forget(): void {
    this.#screen.terminal.reset();
    this.#tell({ kind: "idle", error: null });
  }

  paint(): void {
    this.#screen.paint();
  }

  dispose(): void {
    this.#isDisposed = true;
    clearTimeout(this.#timer);
    this.#connection?.close();
    this.#screen.dispose();
  }

  #attach(ticket: string): void {
    if (this.#isDisposed) return;
    this.#connection?.close();
    const { terminal } = this.#screen;
    this.#connection = connectTerminal(terminal, ticket, {
      onOpen: () => {
        this.#attempts = 0;
        this.#tell({ kind: "open" });
        // The terminal may have been hidden until now, with no size to fit to.
        requestAnimationFrame(() => {
          this.#screen.fit();
          terminal.focus();
        });
      },
      onExit: (code) => {
        window.sessionStorage.removeItem(this.#key);
        this.#tell({ kind: "ended", code });
      },
      onLost: () => this.#later(),
    });
  }

  #later(): void {
    const delay = REATTACH_DELAYS_MS[this.#attempts];
    this.#attempts += 1;
    if (delay === undefined) {
      this.#attempts = 0;
      this.#tell({ kind: "lost" });
      return;
    }
    this.#tell({ kind: "connecting" });
    this.#timer = setTimeout(() => this.reattach(), delay);
  }

  #tell(state: TerminalState): void {
    if (!this.#isDisposed) this.#options.onState(state);
  }
}
