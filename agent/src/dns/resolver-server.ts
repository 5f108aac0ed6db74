// The resolver of one instance: sockets in the namespaces of its containers, answers from one version of the state.
import { readFileSync } from "node:fs";
import { toFlotillaError } from "@flotilla/core";
import { type AnswerDeps, answerQuery } from "./answer-query.ts";
import { ContainerListener } from "./container-listener.ts";
import { type ContainerView, indexState, ResolverState } from "./resolver-state.ts";

export type Loaded = { loaded: number; problems: Record<string, string> };

export class ResolverServer {
  readonly #statePath: string;
  readonly #deps: (state: ResolverState) => AnswerDeps;
  readonly #listeners = new Map<string, ContainerListener>();
  #views = new Map<string, ContainerView>();
  #answering: AnswerDeps | undefined;
  #loading: Promise<Loaded> = Promise.resolve({ loaded: 0, problems: {} });

  /** @param deps what answers are made with; called with each state. */
  constructor(statePath: string, deps: (state: ResolverState) => AnswerDeps) {
    this.#statePath = statePath;
    this.#deps = deps;
  }

  /** Reads the state and makes sockets and answers agree with it. One at a time; a bad file leaves everything as it is. */
  load(): Promise<Loaded> {
    const next = this.#loading.catch(() => undefined).then(() => this.#load());
    this.#loading = next;
    return next;
  }

  close(): void {
    for (const listener of this.#listeners.values()) listener.close();
    this.#listeners.clear();
  }

  async #load(): Promise<Loaded> {
    const state = ResolverState.parse(JSON.parse(readFileSync(this.#statePath, "utf8")));
    // Names first: whoever gets a socket now is to find all of them.
    this.#answering = this.#deps(state);
    this.#views = indexState(state);
    const problems: Record<string, string> = {};
    for (const [id, listener] of this.#listeners) {
      if (this.#views.has(id)) continue;
      listener.close();
      this.#listeners.delete(id);
    }
    for (const view of this.#views.values()) {
      if (this.#listeners.has(view.id)) continue;
      try {
        this.#listeners.set(
          view.id,
          await ContainerListener.open(view.netnsPath, (message, transport) => this.#answer(view.id, message, transport)),
        );
      } catch (error) {
        problems[view.id] = toFlotillaError(error).message;
      }
    }
    return { loaded: state.version, problems };
  }

  async #answer(containerId: string, message: Buffer, transport: "udp" | "tcp"): Promise<Buffer | undefined> {
    if (this.#answering === undefined) return undefined;
    return await answerQuery(this.#answering, this.#views.get(containerId), { message, transport });
  }
}
