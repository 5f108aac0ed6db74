// A netlink socket of one network namespace. Synchronous: the kernel has answered when send(2) returns, so nothing waits.
import { getSystemErrorName } from "node:util";
import { FlotillaError } from "@flotilla/core";
import { decodeMessages, encodeMessage, NLM_F, type NetlinkMessage, type ReceivedMessage } from "./netlink-message.ts";
import { AF, closeSocket, controlLink, openSocket, receiveSocket, sendSocket, setSocketOption, SOCK, SOL } from "./socket.ts";

const NETLINK_CAP_ACK = 10;
const NETLINK_EXT_ACK = 11;
const SO_RCVBUFFORCE = 33;
/** The kernel fills dumps in pieces of at most 32 KiB. One for all sockets of a thread: each call reads all that it is answered. */
const received = Buffer.alloc(32_768);
const RECEIVE_BUFFER_BYTES = 1 << 20;

/**
 * A request with the words that its error begins with: `add link x`. Errnos in `ignore` count as success.
 * `isFrame`: begin or end of a transaction, which is answered only when the transaction fails for a reason that is no request's own.
 * `isQuestion`: is answered with an object.
 */
export type NetlinkRequest = {
  attempt: string;
  message: NetlinkMessage;
  ignore?: readonly string[];
  isFrame?: boolean;
  isQuestion?: boolean;
};

/**
 * INVARIANTS: belongs for ever to the network namespace in which it was opened, whatever the thread enters later; one
 * request at a time (all calls are synchronous); the owner closes it.
 */
export class NetlinkSocket {
  readonly #fd: number;
  #sequence = 0;
  #isClosed = false;

  /** @param protocol NETLINK_ROUTE (0) or another family of netlink(7). */
  constructor(protocol = 0) {
    this.#fd = openSocket(AF.NETLINK, SOCK.RAW, protocol);
    try {
      setSocketOption(this.#fd, { level: SOL.NETLINK, name: NETLINK_EXT_ACK }, 1);
      setSocketOption(this.#fd, { level: SOL.NETLINK, name: NETLINK_CAP_ACK }, 1);
      setSocketOption(this.#fd, { level: SOL.SOCKET, name: SO_RCVBUFFORCE }, RECEIVE_BUFFER_BYTES);
    } catch (error) {
      closeSocket(this.#fd);
      throw error;
    }
  }

  /**
   * Sends all requests in one datagram and reads what is refused of them, and the last one's acknowledgement: the kernel takes them in order and
   * says nothing of the others. It carries on after a failed request, so a batch that is no transaction holds only what makes sense without its
   * predecessors, or what its caller undoes as a whole.
   * @returns answers to questions, by their place among the requests.
   * @throws FlotillaError `internal` for the first that failed: `ATTEMPT: ERRNO: the kernel's words`, `details.errno`.
   */
  execute(requests: readonly NetlinkRequest[]): Map<number, Buffer> {
    const last = requests.findLastIndex(({ isFrame }) => isFrame !== true);
    const answers = new Map<number, Buffer>();
    if (last === -1) return answers;
    const first = this.#sequence + 1;
    this.#sequence += requests.length;
    const flagsOf = (index: number): number => NLM_F.REQUEST | (index === last && requests[index]?.isQuestion !== true ? NLM_F.ACK : 0);
    sendSocket(
      this.#fd,
      Buffer.concat(
        requests.map(({ message }, index) => encodeMessage({ ...message, flags: message.flags | flagsOf(index) }, first + index)),
      ),
    );
    let failure: FlotillaError | undefined;
    for (let isDone = false; !isDone;) {
      for (const answer of this.#receive()) {
        const index = answer.sequence - first;
        const request = requests[index];
        if (answer.kind === "done" || request === undefined) continue;
        if (answer.kind === "data") answers.set(index, answer.payload);
        else failure ??= toFailure(request, answer);
        // A transaction as a whole may fail without a word of its requests.
        isDone ||= index === last || request.isFrame === true;
      }
    }
    if (failure !== undefined) throw failure;
    return answers;
  }

  /** Asks for one object. @returns undefined when the kernel says ENODEV or ENOENT. */
  get(request: NetlinkRequest): Buffer | undefined {
    return this.execute([{ ...request, isQuestion: true, ignore: ["ENODEV", "ENOENT"] }]).get(0);
  }

  /** All objects of a kind, as payloads. */
  dump(request: NetlinkRequest): Buffer[] {
    const sequence = (this.#sequence += 1);
    sendSocket(this.#fd, encodeMessage({ ...request.message, flags: NLM_F.REQUEST | NLM_F.DUMP }, sequence));
    const payloads: Buffer[] = [];
    for (;;) {
      for (const answer of this.#receive()) {
        if (answer.sequence !== sequence) continue;
        if (answer.kind === "data") {
          payloads.push(answer.payload);
          continue;
        }
        const failure = toFailure(request, answer);
        if (failure !== undefined) throw failure;
        return payloads;
      }
    }
  }

  /** A feature of a link, by the ioctl that any socket of a namespace has. @param of `command`: an ETHTOOL_G…. */
  hasFeature(of: { link: string; command: number }): boolean {
    return controlLink(this.#fd, of) !== 0;
  }

  /** @param of `command`: an ETHTOOL_S…. @throws FlotillaError `internal` with `details.errno`. */
  setFeature(of: { link: string; command: number }, isOn: boolean): void {
    controlLink(this.#fd, { ...of, value: isOn ? 1 : 0 });
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    closeSocket(this.#fd);
  }

  #receive(): ReceivedMessage[] {
    const length = receiveSocket(this.#fd, received);
    // A copy: payloads outlive the next receive.
    return decodeMessages(Buffer.from(received.subarray(0, length)));
  }
}

function toFailure(request: NetlinkRequest, answer: { errno: number; reason: string }): FlotillaError | undefined {
  if (answer.errno === 0) return undefined;
  const errno = getSystemErrorName(-answer.errno);
  if (request.ignore?.includes(errno) === true) return undefined;
  const reason = answer.reason === "" ? "" : `: ${answer.reason}`;
  return new FlotillaError("internal", `${request.attempt}: ${errno}${reason}`, { details: { errno } });
}
