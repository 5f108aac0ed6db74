import { FlotillaError } from "@flotilla/core";
import type { Actor, UserActor } from "../access/actor.ts";

/** How many streams (logs, figures, events, attached terminals) may be open at once; 0: no limit. */
export type StreamLimits = {
  /** Of one person or service account, whatever they are signed in with. */
  perPerson: number;
  /** Of this control plane, all people together. */
  perProcess: number;
};

/** One session or token may hold so much of what its person may, so that a mad script leaves its person a page. */
const CREDENTIAL_SHARE = 2 / 3;

/**
 * Counts the streams that are held open here, by person, by credential and in all. Each costs memory and a stream of its host for as
 * long as somebody listens, so they are bounded where calls are only slowed down. Each control plane counts for itself.
 */
export class StreamBounds {
  readonly #limits: StreamLimits;
  readonly #open = new Map<string, number>();
  #total = 0;

  constructor(limits: StreamLimits) {
    this.#limits = limits;
  }

  /** Streams that are open now. */
  get size(): number {
    return this.#total;
  }

  /**
   * Counts a stream until the returned function is called, once or more often. Who is no person is not counted.
   * @throws rate_limited, naming the bound that was reached.
   */
  open(actor: Actor): () => void {
    if (actor.kind !== "user") return () => undefined;
    this.#require(actor);
    const keys = keysOf(actor);
    for (const key of keys) this.#open.set(key, (this.#open.get(key) ?? 0) + 1);
    this.#total++;
    let isOpen = true;
    return () => {
      if (!isOpen) return;
      isOpen = false;
      this.#total--;
      for (const key of keys) this.#leave(key);
    };
  }

  #require(actor: UserActor): void {
    const { perPerson, perProcess } = this.#limits;
    const [person, credential] = keysOf(actor);
    const perCredential = Math.ceil(perPerson * CREDENTIAL_SHARE);
    if (perPerson > 0 && this.#count(person) >= perPerson) throw tooMany(`you have ${perPerson} streams open`);
    if (perPerson > 0 && this.#count(credential) >= perCredential)
      throw tooMany(`this ${actor.credential.kind === "session" ? "session" : "token"} has ${perCredential} streams open`);
    if (perProcess > 0 && this.#total >= perProcess)
      throw new FlotillaError("rate_limited", `this control plane has ${perProcess} streams open, and holds no more: try again later`);
  }

  #count(key: string): number {
    return this.#open.get(key) ?? 0;
  }

  #leave(key: string): void {
    const left = this.#count(key) - 1;
    if (left <= 0) this.#open.delete(key);
    else this.#open.set(key, left);
  }
}

const keysOf = ({ userId, credential }: UserActor): readonly [person: string, credential: string] => [
  `person ${userId}`,
  `${credential.kind} ${credential.id}`,
];

function tooMany(what: string): FlotillaError {
  return new FlotillaError("rate_limited", `${what} (logs, figures, events): close some of them first`);
}
