// The resolver of one instance: sockets in the namespaces of its containers, answers from one version of the state.
import { toFlotillaError } from "@flotilla/core";
import { type AnswerDeps, answerQuery } from "./answer-query.ts";
import { ContainerListener } from "./container-listener.ts";
import { ResolverIndex } from "./resolver-index.ts";
import { StateReader } from "./state-file.ts";

export type Loaded = { loaded: number; problems: Record<string, string> };

export class ResolverServer {
  readonly #reader: StateReader;
  readonly #deps: (resolvConfPath: string) => AnswerDeps;
  readonly #listeners = new Map<string, ContainerListener>();
  #index = new ResolverIndex();
  #answering: AnswerDeps | undefined;
  #loading: Promise<Loaded> = Promise.resolve({ loaded: 0, problems: {} });

  /** @param deps what answers are made with; called at each reading. */
  constructor(statePath: string, deps: (resolvConfPath: string) => AnswerDeps) {
    this.#reader = new StateReader(statePath);
    this.#deps = deps;
  }

  /** Reads what is new in the state and makes sockets and answers agree with it. One at a time; a bad file leaves everything as it is. */
  load(): Promise<Loaded> {
    const next = this.#loading.catch(() => undefined).then(() => this.#load());
    this.#loading = next;
    return next;
  }

  close(): void {
    for (const listener of this.#listeners.values()) listener.close();
    this.#listeners.clear();
    this.#reader.close();
  }

  async #load(): Promise<Loaded> {
    const { version, resolvConfPath, isAnew, changes } = this.#reader.read();
    // Names first: whoever gets a socket now is to find all of them.
    this.#answering = this.#deps(resolvConfPath);
    const index = isAnew ? new ResolverIndex() : this.#index;
    for (const change of changes) index.apply(change);
    this.#index = index;
    const problems: Record<string, string> = {};
    for (const [id, listener] of this.#listeners) {
      if (index.has(id)) continue;
      listener.close();
      this.#listeners.delete(id);
    }
    for (const { id, netnsPath } of index.containers()) {
      if (this.#listeners.has(id)) continue;
      try {
        this.#listeners.set(id, await ContainerListener.open(netnsPath, (message, transport) => this.#answer(id, message, transport)));
      } catch (error) {
        problems[id] = toFlotillaError(error).message;
      }
    }
    return { loaded: version, problems };
  }

  async #answer(containerId: string, message: Buffer, transport: "udp" | "tcp"): Promise<Buffer | undefined> {
    if (this.#answering === undefined) return undefined;
    return await answerQuery(this.#answering, this.#index.view(containerId), { message, transport });
  }
}
