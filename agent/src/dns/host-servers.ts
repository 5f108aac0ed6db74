import { readFileSync, statSync } from "node:fs";
import { parseResolvConf } from "../network/resolv-conf.ts";

/** How old our knowledge of the file may be. */
const LOOK_INTERVAL_MS = 1_000;

/** The host's resolvers, loopback ones included: the host's own file, read again when it has changed. */
export class HostServers {
  readonly #path: string;
  readonly #nowMs: () => number;
  #servers: readonly string[] = [];
  #stamp = "";
  #lookedAtMs = Number.NEGATIVE_INFINITY;

  constructor(path: string, nowMs: () => number) {
    this.#path = path;
    this.#nowMs = nowMs;
  }

  list(): readonly string[] {
    const nowMs = this.#nowMs();
    if (nowMs - this.#lookedAtMs >= LOOK_INTERVAL_MS) {
      this.#lookedAtMs = nowMs;
      this.#look();
    }
    return this.#servers;
  }

  #look(): void {
    try {
      const { mtimeMs, size, ino } = statSync(this.#path);
      const stamp = `${mtimeMs} ${size} ${ino}`;
      if (stamp === this.#stamp) return;
      this.#stamp = stamp;
      // An address with a zone (fe80::1%eth0) cannot be asked by its number alone.
      this.#servers = parseResolvConf(readFileSync(this.#path, "utf8")).nameservers.filter((address) => !address.includes("%"));
    } catch {
      // Gone or being replaced: what it said last is the best there is.
    }
  }
}
