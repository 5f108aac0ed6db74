// Questions about the world outside, asked of other resolvers: one after the other, each for a bounded time.
import { randomBytes } from "node:crypto";
import { AnswerCache } from "./answer-cache.ts";
import {
  handOn,
  isAnswerTo,
  isTruncated,
  type Query,
  RCODE,
  rcodeOf,
  readAges,
  scrambleCase,
  writeFailure,
  writeQuery,
} from "./message.ts";

/** A resolver to ask. `netnsPath` undefined is the host's namespace. */
export type Upstream = { address: string; port: number; netnsPath: string | undefined };

/** The messages of one exchange. Each call uses a socket of its own, so that its port is one more thing to guess. */
export type Transport = {
  /** Sends a datagram and hands each that comes back to `accept`, until it takes one. @throws after `timeoutMs`, or when refused. */
  datagram(upstream: Upstream, message: Buffer, options: ExchangeOptions): Promise<Buffer>;
  stream(upstream: Upstream, message: Buffer, options: ExchangeOptions): Promise<Buffer>;
};
export type ExchangeOptions = { timeoutMs: number; accept: (message: Buffer) => boolean };

export type ForwarderOptions = {
  transport: Transport;
  nowMs: () => number;
  cache?: AnswerCache;
  /** One attempt. */
  attemptMs?: number;
  /** All attempts for one question: less than what clients wait (glibc 5 s). */
  totalMs?: number;
};

/** More at once are refused: a container must not be able to fill the resolver's memory. */
const MAX_IN_FLIGHT = 1_024;
const MAX_PER_ORIGIN = 256;
const MAX_SERVERS = 3;
const ROUNDS = 2;
const MAX_TTL_SECONDS = 3_600;
const MAX_NEGATIVE_TTL_SECONDS = 60;

type Origin = {
  /** Containers that ask the same resolvers from the same place share what was heard. */
  scope: string;
  /** Who asks: has a share of the questions in flight. */
  containerId: string;
  upstreams: readonly Upstream[];
};

type Heard = { message: Buffer; offsets: readonly number[]; keptAtMs: number };

export class Forwarder {
  readonly #options: Required<Omit<ForwarderOptions, "cache">>;
  readonly #cache: AnswerCache;
  readonly #inFlight = new Map<string, Promise<Heard | undefined>>();
  readonly #perOrigin = new Map<string, number>();

  constructor({ cache = new AnswerCache(), attemptMs = 1_500, totalMs = 4_500, ...rest }: ForwarderOptions) {
    this.#options = { attemptMs, totalMs, ...rest };
    this.#cache = cache;
  }

  /** Always answers: SERVFAIL when nobody outside did in time. */
  async ask(query: Query, origin: Origin): Promise<Buffer> {
    const key = cacheKey(query, origin.scope);
    const heard = this.#cache.find(key, this.#options.nowMs()) ?? (await this.#once(key, query, origin));
    if (heard === undefined) return writeFailure(query, RCODE.serverFailure);
    const seconds = Math.floor((this.#options.nowMs() - heard.keptAtMs) / 1000);
    return handOn(heard.message, query, { offsets: heard.offsets, seconds });
  }

  /** The same question in flight already is waited for and not asked again. */
  #once(key: string, query: Query, origin: Origin): Promise<Heard | undefined> {
    const present = this.#inFlight.get(key);
    if (present !== undefined) return present;
    const { containerId } = origin;
    const share = this.#perOrigin.get(containerId) ?? 0;
    if (this.#inFlight.size >= MAX_IN_FLIGHT || share >= MAX_PER_ORIGIN) return Promise.resolve(undefined);
    this.#perOrigin.set(containerId, share + 1);
    const asking = this.#askAll(query, origin)
      .then((message) => (message === undefined ? undefined : this.#keep(key, message)))
      .finally(() => {
        this.#inFlight.delete(key);
        const left = (this.#perOrigin.get(containerId) ?? 1) - 1;
        if (left === 0) this.#perOrigin.delete(containerId);
        else this.#perOrigin.set(containerId, left);
      });
    this.#inFlight.set(key, asking);
    return asking;
  }

  /** The first answer that settles the question; else the last that was one at all. */
  async #askAll(query: Query, { upstreams }: Origin): Promise<Buffer | undefined> {
    const { nowMs, totalMs, attemptMs } = this.#options;
    const deadline = nowMs() + totalMs;
    let last: Buffer | undefined;
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const upstream of upstreams.slice(0, MAX_SERVERS)) {
        const timeoutMs = Math.min(attemptMs, deadline - nowMs());
        if (timeoutMs <= 0) return last;
        // Some resolvers answer in letters of their own: the second round does without the trick.
        const answer = await this.#askOne(query, upstream, { timeoutMs, scrambles: round === 0 });
        if (answer === undefined) continue;
        const code = rcodeOf(answer);
        if (code === RCODE.noError || code === RCODE.nameError) return answer;
        last = answer;
      }
      // Everybody answered, nobody knows: asking again would not help.
      if (last !== undefined) return last;
    }
    return last;
  }

  async #askOne(query: Query, upstream: Upstream, how: { timeoutMs: number; scrambles: boolean }): Promise<Buffer | undefined> {
    const { transport } = this.#options;
    const random = randomBytes(2 + query.questionBytes.length);
    let next = 2;
    const randomBit = (): boolean => ((random[next++] ?? 0) & 1) === 1;
    const id = random.readUInt16BE(0);
    const questionBytes = how.scrambles ? scrambleCase(query.questionBytes, randomBit) : query.questionBytes;
    const message = writeQuery(query, id, questionBytes);
    const options = { timeoutMs: how.timeoutMs, accept: (candidate: Buffer) => isAnswerTo(candidate, { id, questionBytes }) };
    try {
      const answer = await transport.datagram(upstream, message, options);
      return isTruncated(answer) ? await transport.stream(upstream, message, options) : answer;
    } catch {
      return undefined;
    }
  }

  #keep(key: string, message: Buffer): Heard | undefined {
    const ages = readAges(message);
    if (ages === undefined) return undefined;
    const keptAtMs = this.#options.nowMs();
    const code = rcodeOf(message);
    const isPositive = code === RCODE.noError && message.readUInt16BE(6) > 0;
    const seconds = Math.min(ages.ttlSeconds, isPositive ? MAX_TTL_SECONDS : MAX_NEGATIVE_TTL_SECONDS);
    const heard = { message, offsets: ages.offsets, keptAtMs };
    const isLasting = (code === RCODE.noError || code === RCODE.nameError) && seconds > 0;
    if (isLasting) this.#cache.keep(key, { ...heard, expiresAtMs: keptAtMs + seconds * 1000 });
    return heard;
  }
}

/** Letters' case does not matter; whether signatures are wanted does, since the answer differs. */
function cacheKey(query: Query, scope: string): string {
  const edns = query.edns === undefined ? "-" : query.edns.isDnssecOk ? "D" : "E";
  const checking = (query.flags & 0x10) === 0 ? "" : "C";
  const letters = query.questionBytes.subarray(0, -4).toString("latin1");
  return `${scope}\0${edns}${checking}${query.typeNumber}/${query.class}\0${letters.replace(/[A-Z]/g, (letter) => letter.toLowerCase())}`;
}
