import type { Socket } from "node:net";
import type { Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { encodeStdcopy, STDCOPY } from "@flotilla/engine-api";
import { connectSeqpacket } from "../host/seqpacket.ts";
import { processStartTicks } from "../host/process-table.ts";
import { isAccepted } from "../host/unix-diag.ts";

// conmon's attach socket. Every packet from it begins with a byte for the stream; what is written is standard input, and
// a half-close ends that input unless conmon runs with --leave-stdin-open. Without that option conmon also ends the input
// when ANY client of the socket leaves (seen with conmon 2.1.6), hence `release`.
//
// conmon writes to its clients blockingly, so a client that does not read stops the container's output, as with Docker,
// but it stops conmon's recording of the exit as well. Hence the look at the process while output waits.

const PACKET_STDERR = 3;

/** conmon reads a packet into a buffer of 32 KiB and drops what is longer. */
export const MAX_INPUT_PACKET_BYTES = 8 * 1024;

const STALL_CHECK_MS = 500;

const ACCEPT_CHECK_MS = 1;
/** A conmon that does not run for so long (stopped by somebody, say) does not keep a container from its start. */
const ACCEPT_PATIENCE_MS = 10_000;

export type ConsoleTarget = {
  attachSocketPath: string;
  /** Host pid of the container's first process. */
  pid: number;
  tty: boolean;
  /** Closing any connection would end the container's input. */
  closesInputOnLeave: boolean;
};

export type OutputSelection = { stdout: boolean; stderr: boolean };

export class ConsoleSocket {
  readonly #socket: Socket;
  readonly #inode: number;
  readonly #target: ConsoleTarget;
  #isInputEnded = false;

  /** @throws FlotillaError `unavailable` when the container has just ended. */
  constructor(target: ConsoleTarget) {
    this.#target = target;
    ({ socket: this.#socket, inode: this.#inode } = connectSeqpacket(target.attachSocketPath));
    this.#socket.on("error", () => undefined);
    this.#socket.pause();
  }

  /**
   * Resolves when conmon has taken the connection. A container must not start before: what it says until then goes to the log alone, and
   * when it ends before conmon gets to run, that is all of it (conmon 2.1.6 looks for ended processes before it looks at its socket).
   */
  async taken(): Promise<void> {
    for (const until = performance.now() + ACCEPT_PATIENCE_MS; performance.now() < until; await sleep(ACCEPT_CHECK_MS)) {
      if (this.#socket.destroyed || isAccepted(this.#inode) !== false) return;
    }
  }

  /**
   * Sends output to `sink` until the container ends (true) or the sink is gone (false). Framed unless a terminal.
   *
   * By `data` events, not by iteration: a stream that is read in paused mode joins packets.
   */
  pipeOutput(sink: Writable, selection: OutputSelection): Promise<boolean> {
    const socket = this.#socket;
    return new Promise((resolve) => {
      let stallTimer: NodeJS.Timeout | undefined;
      const onPacket = (packet: Buffer): void => {
        const chunk = this.#select(packet, selection);
        if (chunk === undefined || sink.destroyed || sink.write(chunk)) return;
        socket.pause();
        stallTimer ??= setInterval(() => this.#resumeWhenDead(), STALL_CHECK_MS);
      };
      const onDrain = (): void => {
        clearInterval(stallTimer);
        stallTimer = undefined;
        socket.resume();
      };
      const finish = (isContainerEnded: boolean): void => {
        clearInterval(stallTimer);
        socket.off("data", onPacket).off("end", onEnd).off("close", onEnd);
        sink.off("drain", onDrain).off("close", onGone);
        resolve(isContainerEnded);
      };
      const onEnd = (): void => finish(true);
      const onGone = (): void => finish(false);
      socket.on("data", onPacket).on("end", onEnd).on("close", onEnd);
      sink.on("drain", onDrain).on("close", onGone);
      if (sink.destroyed) onGone();
      else if (socket.destroyed) onEnd();
      else socket.resume();
    });
  }

  /** Writes input in order, waiting for room. Returns false when the container takes none any more. */
  async writeInput(bytes: Buffer): Promise<boolean> {
    for (let at = 0; at < bytes.length; at += MAX_INPUT_PACKET_BYTES) {
      const packet = bytes.subarray(at, at + MAX_INPUT_PACKET_BYTES);
      const isWritten = await new Promise<boolean>((resolve) => this.#socket.write(packet, (error) => resolve(error == null)));
      if (!isWritten) return false;
    }
    return true;
  }

  endInput(): void {
    this.#isInputEnded = true;
    this.#socket.end();
  }

  /** Leaves without ending the container's input, where leaving would: then the connection drains until the container ends. */
  release(): void {
    if (this.#socket.destroyed) return;
    if (this.#target.closesInputOnLeave && !this.#isInputEnded) {
      this.#socket.removeAllListeners("data");
      this.#socket.on("data", () => undefined);
      this.#socket.once("end", () => this.#socket.destroy());
      this.#socket.unref();
      this.#socket.resume();
    } else this.#socket.destroy();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #select(packet: Buffer, selection: OutputSelection): Buffer | undefined {
    const isStderr = packet[0] === PACKET_STDERR;
    if (!(isStderr ? selection.stderr : selection.stdout)) return undefined;
    const payload = packet.subarray(1);
    return this.#target.tty ? payload : encodeStdcopy(isStderr ? STDCOPY.stderr : STDCOPY.stdout, payload);
  }

  /** When the process has ended, conmon must be able to finish: what is left (its buffers, no more) is queued in memory. */
  #resumeWhenDead(): void {
    if (processStartTicks(this.#target.pid) === undefined) this.#socket.resume();
  }
}
