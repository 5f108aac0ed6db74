// What the kernel knows of a unix socket's other end: sock_diag(7), struct unix_diag_req of linux/unix_diag.h.
import { decodeAttributes } from "./netlink-message.ts";
import { NetlinkSocket } from "./netlink.ts";

const NETLINK_SOCK_DIAG = 4;
const SOCK_DIAG_BY_FAMILY = 20;
const AF_UNIX = 1;
const ANY_STATE = 0xffff_ffff;
const UDIAG_SHOW_PEER = 0x4;
const NO_COOKIE = 0xffff_ffff;
const UNIX_DIAG_PEER = 2;
const REPLY_BYTES = 16;

/**
 * Whether the listener has accepted a connection: connect(2) on a unix socket returns before that, and until then the
 * other end has no inode.
 * @param inode of this end, by fstat(2); it belongs to this thread's network namespace.
 * @returns undefined when the other end is gone, or the kernel does not tell (it has no unix_diag).
 */
export function isAccepted(inode: number): boolean | undefined {
  const payload = Buffer.alloc(24);
  payload.writeUInt8(AF_UNIX, 0);
  payload.writeUInt32LE(ANY_STATE, 4);
  payload.writeUInt32LE(inode, 8);
  payload.writeUInt32LE(UDIAG_SHOW_PEER, 12);
  payload.writeUInt32LE(NO_COOKIE, 16);
  payload.writeUInt32LE(NO_COOKIE, 20);
  const netlink = new NetlinkSocket(NETLINK_SOCK_DIAG);
  try {
    const reply = netlink.get({
      attempt: `look for the other end of unix socket ${inode}`,
      message: { type: SOCK_DIAG_BY_FAMILY, flags: 0, payload },
    });
    const peer = reply === undefined ? undefined : decodeAttributes(reply, REPLY_BYTES).get(UNIX_DIAG_PEER);
    return peer === undefined ? undefined : peer.readUInt32LE(0) !== 0;
  } finally {
    netlink.close();
  }
}
