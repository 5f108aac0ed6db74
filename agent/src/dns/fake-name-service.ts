// A resolver for unit tests: what it was told arrives in an index as it would in the process, by way of the same texts.
import { findNames } from "./find-names.ts";
import { type NamesChange, NamesState } from "./names-state.ts";
import { ResolverIndex } from "./resolver-index.ts";
import type { NameService } from "./resolver-process.ts";
import { type ContainerRecord, StateChange } from "./resolver-state.ts";

export class FakeNameService implements NameService {
  readonly #state = new NamesState();
  readonly #index = new ResolverIndex();
  /** Keys of each step, `-` before those that went. */
  readonly steps: string[][] = [];

  apply(change: NamesChange): Promise<void> {
    if (this.#state.take(change)) {
      const { remove, put } = this.#state.takeDelta();
      this.steps.push([...[...remove].map((key) => `-${key}`), ...put.keys()]);
      const step = { version: 1, remove: [...remove], put: [...put].map(([key, text]): [string, unknown] => [key, JSON.parse(text)]) };
      this.#index.apply(StateChange.parse(step));
    }
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  containers(): ContainerRecord[] {
    return [...this.#index.containers()];
  }

  /** Addresses of a name as a container finds it; undefined when it is to be asked outside or the container has no resolver. */
  find(containerId: string, name: string): readonly string[] | undefined {
    const view = this.#index.view(containerId);
    const finding = view === undefined ? undefined : findNames(view, { name, type: "A" });
    return finding?.kind === "answer" ? finding.data : undefined;
  }

  /** All that is known, sorted by key. */
  records(): [string, string][] {
    return [...this.#state.records()].sort(([a], [b]) => (a < b ? -1 : 1));
  }
}
