import {
  type ControlStateMessage,
  type DeltaMessage,
  diffResources,
  type Resource,
  type SnapshotMessage,
  type StateVersion,
} from "./desired-state.ts";

/** A host's desired state as the control plane has it now. */
export type ComposedState = StateVersion & { resources: readonly Resource[] };

export type DesiredSenderOptions = {
  /** The newest state, of a generation above `above`, if given. */
  compose(above?: number): Promise<ComposedState>;
  send(message: Extract<ControlStateMessage, SnapshotMessage | DeltaMessage>): void;
};

/**
 * The control plane's half of desired state on one connection: what was sent last, and so what a delta begins with. Calls
 * must not overlap.
 */
export class DesiredSender {
  readonly #options: DesiredSenderOptions;
  #sent: { generation: number; revisions: ReadonlyMap<string, string> } | undefined;
  #isOpen = false;

  constructor(options: DesiredSenderOptions) {
    this.#options = options;
  }

  /** The agent said what it has: at the beginning, or after it refused something. */
  async onHave(version: StateVersion | null): Promise<void> {
    this.#isOpen = true;
    let state = await this.#options.compose();
    if (version?.generation === state.generation && version.hash === state.hash) {
      this.#remember(state);
      return;
    }
    // It has something newer, or else under the same number: the database is older than the host (a backup), or another's.
    if (version !== null && version.generation >= state.generation) state = await this.#options.compose(version.generation);
    this.#sendSnapshot(state);
  }

  async onNeedSnapshot(): Promise<void> {
    if (this.#isOpen) this.#sendSnapshot(await this.#options.compose());
  }

  /** Something that the state is made of may have changed. Before the agent said what it has there is nothing to do. */
  async refresh(): Promise<void> {
    if (!this.#isOpen) return;
    const state = await this.#options.compose();
    const sent = this.#sent;
    if (sent === undefined) return this.#sendSnapshot(state);
    if (state.generation === sent.generation) return;
    const { set, remove } = diffResources(sent.revisions, state.resources);
    this.#options.send({
      type: "delta",
      from: sent.generation,
      to: state.generation,
      hash: state.hash,
      set: [...set],
      remove: [...remove],
    });
    this.#remember(state);
  }

  #sendSnapshot(state: ComposedState): void {
    const { generation, hash, resources } = state;
    this.#options.send({ type: "snapshot", generation, hash, resources: [...resources] });
    this.#remember(state);
  }

  #remember({ generation, resources }: ComposedState): void {
    this.#sent = { generation, revisions: new Map(resources.map(({ key, revision }) => [key, revision])) };
  }
}
